"""Gradient-boosted trees for quantiles: a model of LightGBM for each level."""

from __future__ import annotations

from dataclasses import dataclass

from domain.models import shared_params
from domain.models.base import Samples, Watch, learner, part_of
from domain.models.boosted import Boosted, load_boosted
from domain.models.boosting import Boosting, grown, pinned, some_lightgbm
from domain.models.files import Files
from domain.models.levels import columns_of, levels_of, spread_of
from domain.models.rows import needs
from domain.models.tree_sum import TreeSum
from domain.params import param


@learner("quantiles", targets=("r", "return", "volatility"))
@dataclass(frozen=True)
class Quantiles:
    """Boosted trees for each quantile by its pinball loss, stopped early where that no longer falls on the validation part. Levels may cross."""

    levels: str = param("0.1,0.5,0.9", title="Levels", help="levels of the quantiles, ascending")
    trees: int = shared_params.trees(100, help="most rounds of boosting a level; early stopping may end before")
    learning_rate: float = shared_params.tree_share(0.1)
    leaves: int = shared_params.leaves(15)
    min_leaf: int = shared_params.min_leaf(100)
    columns_share: float = shared_params.columns_share(0.8)
    rows_share: float = shared_params.rows_share(1.0, help="share of the samples that each tree learns from, drawn at random")
    l2: float = shared_params.leaf_penalty(1.0)
    patience: int = shared_params.tree_patience(50)

    def __post_init__(self) -> None:
        levels_of(self.levels)

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Boosted:
        needs(train, 2, "quantiles")
        library, levels = some_lightgbm(), levels_of(self.levels)
        boosting, names = Boosting.of(self), columns_of(levels)
        data, texts = pinned(library, train, validation, boosting, seed, watch), []
        for number, level in enumerate(levels):
            objective = dict(objective="quantile", alpha=level, metric="quantile")
            texts.append(grown(library, boosting, objective, data, part_of(watch, number, names)))
        return Boosted("quantiles", names, tuple(texts), "identity", len(train.columns), spread_of(train.y))


def load(files: Files) -> Boosted | TreeSum:
    return load_boosted("quantiles", files)
