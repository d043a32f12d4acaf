"""Gradient-boosted trees for the probability of a yes: LightGBM, or scikit-learn's histogram boosting where that cannot be loaded."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BadRequest
from domain.models import shared_params
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

    trees: int = shared_params.trees(300, help="most rounds of boosting; early stopping may end before")
    learning_rate: float = shared_params.tree_share(0.05)
    leaves: int = shared_params.leaves(15)
    min_leaf: int = shared_params.min_leaf(50)
    columns_share: float = shared_params.columns_share(0.8)
    rows_share: float = shared_params.rows_share(1.0, help="share of the samples that each tree learns from, drawn at random; LightGBM only")
    l2: float = shared_params.leaf_penalty(1.0)
    patience: int = shared_params.tree_patience(50)
    engine: str = param("auto", choices=("auto", "lightgbm", "sklearn"), title="Library", help="auto takes LightGBM where it loads, else scikit-learn's histogram boosting")

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Boosted | TreeSum:
        needs(train, 2, "fakeout")
        library = lightgbm() if self.engine != "sklearn" else None
        if library is None and self.engine == "lightgbm":
            raise BadRequest("LightGBM cannot be loaded here; install libgomp (libomp on macOS), or take engine auto or sklearn")
        if library is None:
            return grown_by_histograms(Boosting.of(self), train, validation, seed, watch)
        data = pinned(library, train, validation, Boosting.of(self), seed, watch)
        model = grown(library, Boosting.of(self), dict(objective="binary", metric="binary_logloss"), data, watch)
        return Boosted("fakeout", ("p",), (model,), "sigmoid", len(train.columns))


def load(files: Files) -> Boosted | TreeSum:
    return load_boosted("fakeout", files)
