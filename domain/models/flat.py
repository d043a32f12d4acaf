"""Several ensembles of trees laid out for single rows: the same sums as theirs, to the last bit, in a fraction of a library's call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.models.export import rounded_down
from domain.models.trees import Trees

ABREAST = 8     # trees that are walked at once


@dataclass(frozen=True)
class Flat:
    """The arrays of ``kernels.walk``."""

    nodes: np.ndarray
    thresholds: np.ndarray
    values: np.ndarray
    roots: np.ndarray
    steps: np.ndarray
    order: np.ndarray
    ends: np.ndarray

    def sums(self, rows: np.ndarray) -> np.ndarray:
        """float32 n × columns -> float64 n × ensembles, each summed from 0 on in the order of its trees."""
        from domain.models.kernels.walk import walked

        sums, both = np.empty((len(rows), len(self.ends) - 1)), np.empty(2 * rows.shape[1], np.float32)
        for row, own in zip(rows, sums, strict=True):
            walked(row, both, self.nodes, self.thresholds, self.values, self.roots, self.steps, self.order, self.ends, own)
        return sums


def flat_of(ensembles: Sequence[Trees]) -> Flat:
    """Of ensembles with one output each that start from 0."""
    laid = [_laid(trees, tree) for trees in ensembles for tree in range(len(trees.roots))]
    deepest = np.array([depth for *_, depth in laid])
    ranked = np.argsort(deepest, kind="stable")
    starts = np.cumsum([0, *(len(laid[tree][1]) for tree in ranked)])
    nodes = [laid[tree][0] + np.array([0, start]) for tree, start in zip(ranked, starts, strict=False)]
    spare = -len(ranked) % ABREAST
    roots = np.append(starts[:-1], np.zeros(spare, np.int64))
    order = np.empty(len(ranked), np.int64)
    order[ranked] = np.arange(len(ranked))
    steps = np.append(deepest[ranked], np.full(spare, deepest.max())).reshape(-1, ABREAST).max(axis=1)
    ends = np.cumsum([0, *(len(trees.roots) for trees in ensembles)])
    thresholds, values = (np.concatenate([laid[tree][part] for tree in ranked]) for part in (1, 2))
    return Flat(np.concatenate(nodes).astype(np.int32), thresholds, values, roots, steps, order, ends)


def _laid(trees: Trees, tree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Feature and left child, threshold, and value of a tree's nodes, level by level, both children side by side; and its depth."""
    level, placed, depth = [int(trees.roots[tree])], [int(trees.roots[tree])], 0
    while level := [int(side[at]) for at in level if trees.left[at] >= 0 for side in (trees.left, trees.right)]:
        placed, depth = placed + level, depth + 1
    at = np.array(placed)
    leaf, place = trees.left[at] < 0, {node: k for k, node in enumerate(placed)}
    known = trees.columns + np.where(leaf, 0, trees.feature[at])       # a column that is never NaN
    feature = np.where(leaf | trees.missing_left[at], known, trees.feature[at])
    left = np.array([k if ends else place[int(trees.left[node])] for k, (node, ends) in enumerate(zip(at, leaf, strict=True))])
    threshold = np.where(leaf, np.float32(np.inf), rounded_down(trees.threshold[at])).astype(np.float32)
    return np.column_stack([feature, left]), threshold, trees.value[at, 0], depth
