"""A regression tree of all actions' rewards at once, and the action that each of its leaves takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.models.one_order import one_order


@dataclass(frozen=True)
class PolicyTree:
    """A node a place: ``feature`` (-1: a leaf), ``threshold`` (up to and at it to the left), ``left``, ``right``, and of leaves ``action``, its ``mean`` reward and ``error``."""

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    action: np.ndarray
    mean: np.ndarray
    error: np.ndarray

    def leaves(self, features: np.ndarray) -> np.ndarray:
        """The leaf of each row."""
        node = np.zeros(len(features), np.int64)
        for _ in range(len(self.feature)):
            inner = self.feature[node] >= 0
            if not inner.any():
                break
            here = node[inner]
            goes_left = features[inner, self.feature[here]] <= self.threshold[here]
            node[inner] = np.where(goes_left, self.left[here], self.right[here])
        return node

    def chosen(self, features: np.ndarray) -> np.ndarray:
        """The action of each row, 0: skip."""
        return self.action[self.leaves(features)]

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> PolicyTree:
        kinds = {name: np.float64 if name in ("threshold", "mean", "error") else np.int64 for name in cls.__dataclass_fields__}
        return cls(**{name: np.array(values[name], kind) for name, kind in kinds.items()})


def fit_tree(features: np.ndarray, rewards: np.ndarray, weight: np.ndarray, depth: int, leaf: int, caution: float, seed: int) -> PolicyTree:
    """Splits where the squared error of all actions' rewards falls most. ``rewards``: rows × actions, the first of them skip. ``weight``: uniqueness, so that
    overlapping signals count less in means and in their errors."""
    from sklearn.tree import DecisionTreeRegressor

    grown = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=min(leaf, max(len(features) // 2, 1)), random_state=seed)
    tree = grown.fit(features, rewards[:, 1:], sample_weight=weight).tree_
    inner = tree.children_left >= 0
    arrays = dict(feature=np.where(inner, tree.feature, -1), threshold=np.where(inner, tree.threshold, 0.0), left=tree.children_left, right=tree.children_right)
    count = len(inner)
    bare = PolicyTree(**{name: np.array(values) for name, values in arrays.items()}, action=np.zeros(count, np.int64), mean=np.zeros(count), error=np.zeros(count))
    where = bare.leaves(features)
    with one_order():
        for node in np.unique(where):
            bare.action[node], bare.mean[node], bare.error[node] = best_of(rewards[where == node], weight[where == node], caution)
    return bare


def best_of(rewards: np.ndarray, weight: np.ndarray, caution: float) -> tuple[int, float, float]:
    """The action whose mean less ``caution`` standard errors is highest, if that is above 0; else skip, 0. Its mean and standard error beside it.

    ``weight``: uniqueness between 0 and 1; their sum is the effective number of signals.

    >>> best_of(np.array([[0.0, 0.1, -1.0], [0.0, 0.1, 3.0]]), np.ones(2), 1.0)
    (1, 0.1, 0.0)
    >>> best_of(np.array([[0.0, -0.1], [0.0, -0.1]]), np.ones(2), 0.0)
    (0, 0.0, 0.0)
    """
    total = weight.sum()
    mean = weight @ rewards / total
    error = np.sqrt(weight @ (rewards - mean) ** 2 / total / max(total - 1.0, 1.0))
    sure = mean - caution * error
    sure[0] = 0.0
    best = int(sure.argmax())
    return best, float(mean[best]), float(error[best])
