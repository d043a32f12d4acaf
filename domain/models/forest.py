"""A random forest for probabilities of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.models.base import Samples, Watch, learner
from domain.models.files import Files, opened
from domain.models.growing import Growing, grown
from domain.models.rows import needs, outputs_of
from domain.models.tree_sum import TreeSum, tree_sum_from
from domain.models.trees import of_forest
from domain.params import param


@learner("forest", targets=("fake", "win", "above", "barrier", "direction"))
@dataclass(frozen=True)
class Forest:
    """A forest of deep trees on bootstrap samples, whose leaves' shares are averaged; each class weighs the same, however rare (calibration undoes it)."""

    trees: int = param(100, low=1, high=2_000, title="Trees", help="number of trees")
    min_leaf: int = param(20, low=1, high=100_000, unit="samples", title="Samples in a leaf", help="least samples of a leaf")
    columns_share: float = param(0.0, low=0.0, high=1.0, title="Share of columns", help="share of the columns tried at each split, drawn at random; 0 takes the square root of their number")
    rows_share: float = param(1.0, low=0.01, high=1.0, title="Share of rows", help="size of each tree's bootstrap sample, as a share of the samples")
    balanced: bool = param(True, title="Balanced classes", help="whether each class weighs the same in training; else as often as it occurs")

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> TreeSum:
        from sklearn.ensemble import RandomForestClassifier

        needs(train, 2, "forest")
        growing = Growing(self.trees, self.min_leaf, self.columns_share or "sqrt", self.rows_share)
        y, weight = train.y.astype(np.int64), train.weight * (balance(train.y.astype(np.int64), train.weight) if self.balanced else 1.0)
        model = grown(RandomForestClassifier, growing, train.rows(), y, weight, seed, watch)
        outputs = outputs_of(train)
        values = [chances(tree.tree_.value[:, 0, :], model.classes_, max(len(train.classes), 2))[:, -len(outputs) :] for tree in model.estimators_]
        return TreeSum("forest", outputs, of_forest(model.estimators_, values, len(train.columns)), "identity")


def balance(y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What each sample is multiplied by so that all classes weigh the same, the whole as before.

    >>> balance(np.array([0, 0, 0, 1]), np.ones(4)).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    totals = np.bincount(y, weights=weight)
    return (weight.sum() / (np.count_nonzero(totals) * np.maximum(totals, 1e-300)))[y]


def chances(shares: np.ndarray, classes: np.ndarray, count: int) -> np.ndarray:
    """Shares of the classes that occurred, nodes × ``count``, those of the others 0."""
    values: Any = np.zeros((len(shares), count))
    values[:, classes] = shares / shares.sum(axis=1, keepdims=True)
    return values


def load(files: Files) -> TreeSum:
    return tree_sum_from("forest", opened(files, "forest"), files)
