"""Forests of scikit-learn, grown a few trees at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.models.base import Watch
from domain.models.waiting import waited

STEP, LARGE = 10, 500_000       # trees at a time, and rows times columns from which it is one


@dataclass(frozen=True)
class Growing:
    """``columns_share``: as scikit-learn's ``max_features``."""

    trees: int
    min_leaf: int
    columns_share: float | str
    rows_share: float


def grown(kind: Any, growing: Growing, rows: np.ndarray, y: np.ndarray, weight: np.ndarray, seed: int, watch: Watch) -> Any:
    """A fitted forest of scikit-learn's class ``kind``: the same as grown at once, since each tree's draws come one after another from the seed."""
    watch(0.0, None)
    share = growing.rows_share if growing.rows_share < 1 else None
    model = kind(min_samples_leaf=growing.min_leaf, max_features=growing.columns_share, max_samples=share, warm_start=True, random_state=seed % 2**32, n_estimators=0)
    step = STEP if rows.size < LARGE else 1
    for count in range(step, growing.trees + step, step):
        model.set_params(n_estimators=min(count, growing.trees))
        waited(lambda: model.fit(rows, y, sample_weight=weight), watch, (count - step) / growing.trees)
        watch(model.n_estimators / growing.trees, None)
    return model
