"""Gradient-boosted trees for quantiles: a model of LightGBM for each level."""

from __future__ import annotations

from dataclasses import dataclass

from domain.models.base import Samples, Watch, learner
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
    trees: int = param(300, low=1, high=5_000, title="Trees", help="most rounds of boosting a level; early stopping may end before")
    learning_rate: float = param(0.05, low=0.001, high=1.0, title="Learning rate", help="how much of each tree is added")
    leaves: int = param(15, low=2, high=1_024, title="Leaves", help="most leaves of a tree")
    min_leaf: int = param(100, low=1, high=100_000, unit="samples", title="Samples in a leaf", help="least samples of a leaf")
    columns_share: float = param(0.8, low=0.05, high=1.0, title="Share of columns", help="share of the columns that each tree may use, drawn at random")
    rows_share: float = param(1.0, low=0.1, high=1.0, title="Share of rows", help="share of the samples that each tree learns from, drawn at random")
    l2: float = param(1.0, low=0.0, high=1e6, title="Penalty", help="weight of the squared leaf values")
    patience: int = param(50, low=0, high=5_000, unit="rounds", title="Patience", help="rounds without a lower validation loss before it stops; 0 never stops early")

    def __post_init__(self) -> None:
        levels_of(self.levels)

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Boosted:
        needs(train, 2, "quantiles")
        library, levels = some_lightgbm(), levels_of(self.levels)
        boosting = Boosting(self.trees, self.learning_rate, self.leaves, self.min_leaf, self.columns_share, self.rows_share, self.l2, self.patience)
        data, texts = pinned(library, train, validation, boosting, seed, watch), []
        for number, level in enumerate(levels):
            objective = dict(objective="quantile", alpha=level, metric="quantile")
            texts.append(grown(library, boosting, objective, data, lambda share, loss, n=number: watch((n + share) / len(levels), loss)))
        return Boosted("quantiles", columns_of(levels), tuple(texts), "identity", len(train.columns), spread_of(train.y))


def load(files: Files) -> Boosted | TreeSum:
    return load_boosted("quantiles", files)
