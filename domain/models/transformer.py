"""A small causal transformer over a window of bars."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BadRequest
from domain.models import shared_params
from domain.models.base import Fitted, Samples, Watch, learner
from domain.models.network import load_torch
from domain.models.rows import needs
from domain.params import param


@learner("transformer", targets=("return", "volatility", "direction"), bars=0)
@dataclass(frozen=True)
class Transformer:
    """Blocks of attention in which a bar looks at itself and at earlier ones; the deciding bar's state feeds the head."""

    bars: int = shared_params.window(60)
    units: int = param(16, low=2, high=128, title="Units", help="numbers in a bar's state; a multiple of the heads")
    layers: int = param(1, low=1, high=4, title="Layers", help="blocks of attention")
    heads: int = param(2, low=1, high=16, title="Heads", help="heads of attention in a block")
    batch: int = shared_params.batch(256)
    learning_rate: float = shared_params.step_size(0.002)
    epochs: int = shared_params.epochs(10)
    patience: int = shared_params.patience(5)
    decay: float = shared_params.decay(0.01)
    device: str = shared_params.device("auto")

    def __post_init__(self) -> None:
        if self.units % self.heads:
            raise BadRequest(f"units is {self.units} and heads is {self.heads}; units must be a multiple of heads")

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Fitted:
        needs(train, 2, "transformer")
        load_torch(watch)
        from domain.models.network.fitting import Pace
        from domain.models.network.learning import head_of, learnt, outputs_of

        pace = Pace(self.batch, self.learning_rate, self.epochs, self.patience, self.decay)
        shape = dict(kind="causal", bars=self.bars, width=self.units, layers=self.layers, attention=self.heads)
        return learnt(shape, {"target": head_of(train)}, "target", outputs_of(train), pace, self.device, train, validation, seed, watch)


def load(files: dict[str, bytes]) -> Fitted:
    """The fit whose ``files()`` these are."""
    from domain.models.network.fitted import read

    return read(files)
