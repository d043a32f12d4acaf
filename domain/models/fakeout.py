"""Gradient-boosted trees for the probability of a yes: LightGBM, or scikit-learn's histogram boosting where that cannot be loaded."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BadRequest
from domain.models.base import Samples, Watch, learner
from domain.models.boosted import Boosted, load_boosted
from domain.models.boosting import Boosting, grown, lightgbm, pinned
from domain.models.files import Files
from domain.models.histograms import grown_by_histograms
from domain.models.rows import needs
from domain.models.tree_sum import TreeSum
from domain.params import param


@learner("fakeout", targets=("fake", "win", "above"))
@dataclass(frozen=True)
class Fakeout:
    """Boosted trees for a yes or no, stopped early where the loss on the validation part no longer falls."""

    trees: int = param(300, low=1, high=5_000, title="Trees", help="most rounds of boosting; early stopping may end before")
    learning_rate: float = param(0.05, low=0.001, high=1.0, title="Learning rate", help="how much of each tree is added")
    leaves: int = param(15, low=2, high=1_024, title="Leaves", help="most leaves of a tree")
    min_leaf: int = param(50, low=1, high=100_000, unit="samples", title="Samples in a leaf", help="least samples of a leaf")
    columns_share: float = param(0.8, low=0.05, high=1.0, title="Share of columns", help="share of the columns that each tree may use, drawn at random")
    rows_share: float = param(1.0, low=0.1, high=1.0, title="Share of rows", help="share of the samples that each tree learns from, drawn at random; LightGBM only")
    l2: float = param(1.0, low=0.0, high=1e6, title="Penalty", help="weight of the squared leaf values")
    patience: int = param(50, low=0, high=5_000, unit="rounds", title="Patience", help="rounds without a lower validation loss before it stops; 0 never stops early")
    engine: str = param("auto", choices=("auto", "lightgbm", "sklearn"), title="Library", help="auto takes LightGBM where it loads, else scikit-learn's histogram boosting")

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Boosted | TreeSum:
        needs(train, 2, "fakeout")
        library = lightgbm() if self.engine != "sklearn" else None
        if library is None and self.engine == "lightgbm":
            raise BadRequest("LightGBM cannot be loaded here; install libgomp (libomp on macOS), or take engine auto or sklearn")
        if library is None:
            return grown_by_histograms(self.boosting(), train, validation, seed, watch)
        data = pinned(library, train, validation, self.boosting(), seed, watch)
        model = grown(library, self.boosting(), dict(objective="binary", metric="binary_logloss"), data, watch)
        return Boosted("fakeout", ("p",), (model,), "sigmoid", len(train.columns))

    def boosting(self) -> Boosting:
        return Boosting(self.trees, self.learning_rate, self.leaves, self.min_leaf, self.columns_share, self.rows_share, self.l2, self.patience)


def load(files: Files) -> Boosted | TreeSum:
    return load_boosted("fakeout", files)
