"""Why a model says what it says: TreeSHAP of trees that are kept as arrays."""

from __future__ import annotations

import numpy as np

from domain.models.trees import Trees


def contributions(trees: Trees, rows: np.ndarray, output: int = 0) -> np.ndarray:
    """float64 n × (columns + 1): how much each column moves a row's sum from its mean over the training rows, which stands last.

    Path-dependent TreeSHAP (Lundberg, Erion & Lee 2018, algorithm 2): a column that is not known to a coalition sends a row both ways, in proportion
    to the training rows that went there. A row's contributions add up to ``trees.sums(row)``.
    """
    from domain.models.kernels.shap import shap

    values = np.ascontiguousarray(trees.value[:, output])
    nodes = (trees.feature, trees.threshold, trees.left, trees.right, trees.missing_left, trees.cover)
    return shap(rows, *nodes, values, trees.roots, depth(trees), float(trees.base[output]))


def depth(trees: Trees) -> int:
    """The longest way from a root to a leaf, in splits."""
    depths = np.zeros(len(trees.left), dtype=np.int64)
    for at in np.flatnonzero(trees.left >= 0):      # a parent stands before its children
        depths[trees.left[at]] = depths[trees.right[at]] = depths[at] + 1
    return int(depths.max())
