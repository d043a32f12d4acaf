"""Trees grown by scikit-learn's histogram boosting, where LightGBM cannot be loaded."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import numpy as np

from domain.models.base import Samples, Watch
from domain.models.boosting import Boosting, threads
from domain.models.line import linked
from domain.models.tree_sum import TreeSum
from domain.models.trees import joined, leaf, of_histograms


def grown_by_histograms(boosting: Boosting, train: Samples, validation: Samples, seed: int, watch: Watch) -> TreeSum:
    """Boosted trees for a yes or no, up to the round of least loss on the validation part."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    columns = len(train.columns)
    if len(np.unique(train.y)) < 2:
        return never_split(float(train.y[0]), columns)
    rounds = Rounds(boosting, validation, watch)
    model = HistGradientBoostingClassifier(
        learning_rate=boosting.learning_rate, max_iter=boosting.trees, max_leaf_nodes=boosting.leaves, min_samples_leaf=boosting.min_leaf, l2_regularization=boosting.l2,
        max_features=boosting.columns_share, early_stopping=True, scoring=rounds, validation_fraction=None, n_iter_no_change=boosting.trees, tol=0.0, random_state=seed % 2**31,
    )  # fmt: skip
    with suppress(Patience), in_threads(len(train) * columns):
        model.fit(train.rows(), train.y, sample_weight=train.weight)
    base = float(model._baseline_prediction[0, 0])
    predictors = [predictor[0] for predictor in model._predictors]
    return TreeSum("fakeout", ("p",), of_histograms(predictors[: rounds.best or len(predictors)], base, columns), "sigmoid")


def in_threads(cells: int) -> AbstractContextManager[Any]:
    """One thread of OpenMP where there is little to do."""
    from sklearn.utils.parallel import _get_threadpool_controller

    return _get_threadpool_controller().limit(limits=1, user_api="openmp") if threads(cells) else nullcontext()


def never_split(y: float, columns: int) -> TreeSum:
    """What one class comes to: a probability of nearly 0 or 1, as LightGBM has it."""
    return TreeSum("fakeout", ("p",), joined([leaf(np.array([34.5 if y else -34.5]), np.ones(1))], np.zeros(1), columns), "sigmoid")


class Patience(Exception):
    """The loss on the validation part has not fallen for long enough."""


class Rounds:
    """Called by scikit-learn after each round, as its scorer: reports the round, and stops boosting."""

    def __init__(self, boosting: Boosting, validation: Samples, watch: Watch) -> None:
        self._boosting, self._watch, self._validation = boosting, watch, validation
        self._rows = validation.rows() if len(validation) else None
        self._scores = np.zeros(len(validation))
        self._least = np.inf
        self.best = 0       # rounds up to the least loss; 0 without a validation part

    def __call__(self, model: Any, rows: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
        done = len(model._predictors)
        loss = self._loss(model, done) if done else None
        self._watch(done / self._boosting.trees, loss)
        if loss is not None and loss < self._least:
            self._least, self.best = loss, done
        if self.best and self._boosting.patience and done - self.best >= self._boosting.patience:
            raise Patience
        return float(done)      # always better than before: patience is counted here

    def _loss(self, model: Any, done: int) -> float | None:
        if self._rows is None:
            return None
        trees = of_histograms([model._predictors[-1][0]], float(model._baseline_prediction[0, 0]) if done == 1 else 0.0, self._rows.shape[1])
        self._scores += trees.sums(self._rows)[:, 0]
        p = np.clip(linked(self._scores, "sigmoid"), 1e-15, 1 - 1e-15)
        return float(-np.average(np.where(self._validation.y > 0, np.log(p), np.log(1 - p)), weights=self._validation.weight))
