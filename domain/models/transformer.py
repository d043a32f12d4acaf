"""A small causal transformer over a window of bars."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BadRequest
from domain.models.base import Fitted, Samples, Watch, learner
from domain.models.network import load_torch
from domain.models.rows import needs
from domain.params import param


@learner("transformer", targets=("return", "volatility", "direction"), bars=0)
@dataclass(frozen=True)
class Transformer:
    """Blocks of attention in which a bar looks at itself and at earlier ones; the deciding bar's state feeds the head."""

    bars: int = param(60, low=2, high=256, unit="bars", title="Window", help="bars of history, the deciding bar the last of them")
    units: int = param(16, low=2, high=128, title="Units", help="numbers in a bar's state; a multiple of the heads")
    layers: int = param(1, low=1, high=4, title="Layers", help="blocks of attention")
    heads: int = param(2, low=1, high=16, title="Heads", help="heads of attention in a block")
    batch: int = param(256, low=8, high=8_192, unit="samples", title="Batch", help="samples of a step")
    learning_rate: float = param(0.002, low=1e-6, high=1.0, title="Learning rate", help="size of a step")
    epochs: int = param(10, low=1, high=1_000, title="Epochs", help="passes over the training part, at most")
    patience: int = param(5, low=0, high=1_000, unit="rounds", title="Patience", help="rounds without a lower validation loss before it stops; 0 never stops early")
    decay: float = param(0.01, low=0.0, high=10.0, title="Weight decay", help="how fast weights shrink towards zero")
    device: str = param("auto", choices=("auto", "cpu", "gpu"), title="Device", help="auto: a GPU where there is one; its fits are marked not reproducible")

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
        return learnt(shape, {"asked": head_of(train)}, "asked", outputs_of(train), pace, self.device, train, validation, seed, watch)


def load(files: dict[str, bytes]) -> Fitted:
    """The fit whose ``files()`` these are."""
    from domain.models.network.fitted import read

    return read(files)
