"""Quantiles of the training labels, whatever the columns say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.models.base import Samples, Watch, learner
from domain.models.constant import Constant, load_constant
from domain.models.files import Files
from domain.models.levels import columns_of, levels_or_none, spread_of, weighted_quantiles
from domain.models.rows import needs
from domain.params import param


@learner("climatology", targets=("r", "return", "volatility"))
@dataclass(frozen=True)
class Climatology:
    """Baseline: weighted quantiles of the training labels, or their mean."""

    levels: str = param("", title="Levels", help="levels of the quantiles, ascending; empty forecasts the mean")

    def __post_init__(self) -> None:
        levels_or_none(self.levels)

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Constant:
        needs(train, 1, "climatology")
        watch(0.0, None)
        levels = levels_or_none(self.levels)
        values = weighted_quantiles(train.y, train.weight, levels) if levels else [np.average(train.y, weights=train.weight)]
        return Constant.of("climatology", columns_of(levels), values, len(train.columns), spread_of(train.y))


def load(files: Files) -> Constant:
    return load_constant("climatology", files)
