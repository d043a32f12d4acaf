"""A recurrent network over a window of bars, with a head for volatility and one for direction."""

from __future__ import annotations

from dataclasses import dataclass

from domain.models import shared_params
from domain.models.base import Fitted, Samples, Watch, learner
from domain.models.network import load_torch
from domain.models.rows import needs
from domain.params import param

OTHER = {"volatility": dict(task="classes", outputs=3, levels=[]), "direction": dict(task="number", outputs=1, levels=[])}     # the head beside each


@learner("lstm", targets=("volatility", "direction"), bars=0)
@dataclass(frozen=True)
class Lstm:
    """An LSTM whose last state feeds two heads: volatility and direction. The target's head forecasts; the other one is learnt beside it, where its labels
    are known over the same spans, and steadies what both share."""

    bars: int = shared_params.window(60)
    units: int = param(32, low=2, high=256, title="Units", help="units of a layer")
    layers: int = param(1, low=1, high=2, title="Layers", help="LSTM layers")
    batch: int = shared_params.batch(256)
    learning_rate: float = shared_params.step_size(0.002)
    epochs: int = shared_params.epochs(10)
    patience: int = shared_params.patience(5)
    decay: float = shared_params.decay(0.01)
    device: str = shared_params.device("auto")

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Fitted:
        needs(train, 2, "lstm")
        load_torch(watch)
        from domain.models.network.fitting import Pace
        from domain.models.network.learning import head_of, learnt, outputs_of

        head, beside = ("direction", "volatility") if train.task == "classes" else ("volatility", "direction")
        heads = {head: head_of(train)} | ({beside: OTHER[head]} if beside in train.beside else {})
        pace = Pace(self.batch, self.learning_rate, self.epochs, self.patience, self.decay)
        shape = dict(kind="recurrent", bars=self.bars, width=self.units, layers=self.layers)
        return learnt(shape, heads, head, outputs_of(train), pace, self.device, train, validation, seed, watch)


def load(files: dict[str, bytes]) -> Fitted:
    """The fit whose ``files()`` these are."""
    from domain.models.network.fitted import read

    return read(files)
