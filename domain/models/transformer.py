"""A small causal transformer over a window of bars."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BadRequest
from domain.models.base import Fitted, Samples, Watch, learner
from domain.params import param


@learner("transformer", targets=("return", "volatility", "direction"), bars=0)
@dataclass(frozen=True)
class Transformer:
    """Blocks of attention in which a bar looks at itself and at earlier ones; the deciding bar's state feeds the head."""

    bars: int = param(60, low=2, high=512, unit="bars", title="Window", help="bars of history, the deciding bar the last of them")
    width: int = param(16, low=2, high=256, help="units of a bar's state; a multiple of the heads")
    layers: int = param(1, low=1, high=4, help="blocks")
    heads: int = param(2, low=1, high=16, help="heads of attention")
    batch: int = param(256, low=8, high=8_192, unit="samples", help="samples of a step")
    rate: float = param(0.002, low=1e-6, high=1.0, title="Learning rate", help="size of a step")
    passes: int = param(10, low=1, high=1_000, help="passes over the training part, at most")
    patience: int = param(5, low=1, high=1_000, unit="rounds", help="rounds without a lower loss on the validation part, after which the fit ends")
    decay: float = param(0.01, low=0.0, high=10.0, title="Weight decay", help="how fast weights shrink towards zero")
    device: str = param("auto", choices=("auto", "cpu", "gpu"), help="auto: a GPU where there is one; its fits are marked not reproducible")

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise BadRequest(f"width is {self.width} and heads is {self.heads}; width must be a multiple of heads")

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Fitted:
        watch(0.0)
        from domain.models.network.fitting import Pace
        from domain.models.network.learning import head_of, learnt, outputs_of

        pace = Pace(self.batch, self.rate, self.passes, self.patience, self.decay)
        shape = dict(kind="causal", bars=self.bars, width=self.width, layers=self.layers, attention=self.heads)
        return learnt(shape, {"asked": head_of(train)}, "asked", outputs_of(train), pace, self.device, train, validation, seed, watch)


def load(files: dict[str, bytes]) -> Fitted:
    """The fit whose ``files()`` these are."""
    from domain.models.network.fitted import read

    return read(files)
