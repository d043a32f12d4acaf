"""Quantiles by a small network: all levels at once, in rising order by construction."""

from __future__ import annotations

from dataclasses import dataclass

from domain.models import shared_params
from domain.models.base import Fitted, Samples, Watch, learner
from domain.models.levels import levels_of
from domain.models.network import load_torch
from domain.models.rows import needs
from domain.params import param


@learner("quantile_network", targets=("r", "return", "volatility"))
@dataclass(frozen=True)
class QuantileNetwork:
    """A network of full layers that is fitted to the pinball loss of every level; each level is the one below plus a positive step, so none ever cross."""

    levels: str = param("0.1,0.5,0.9", title="Levels", help="levels between 0 and 1, rising, separated by commas")
    units: int = param(64, low=2, high=1_024, title="Units", help="units of a layer")
    layers: int = param(2, low=1, high=8, title="Layers", help="full layers")
    batch: int = shared_params.batch(512, high=65_536)
    learning_rate: float = shared_params.step_size(0.001)
    epochs: int = shared_params.epochs(20)
    patience: int = shared_params.patience(5)
    decay: float = shared_params.decay(0.01)
    device: str = shared_params.device("auto")

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Fitted:
        needs(train, 2, "quantile_network")
        load_torch(watch)
        from domain.models.network.fitting import Pace
        from domain.models.network.learning import learnt

        levels = levels_of(self.levels)
        head = dict(task="quantiles", outputs=len(levels), levels=list(levels))
        pace = Pace(self.batch, self.learning_rate, self.epochs, self.patience, self.decay)
        shape = dict(kind="dense", bars=1, width=self.units, layers=self.layers)
        return learnt(shape, {"quantiles": head}, "quantiles", tuple(f"q_{level:g}" for level in levels), pace, self.device, train, validation, seed, watch)


def load(files: dict[str, bytes]) -> Fitted:
    """The fit whose ``files()`` these are."""
    from domain.models.network.fitted import read

    return read(files)
