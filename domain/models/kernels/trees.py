"""Walks through trees, row by row."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry


@compiled
def _leaf(rows, row, node, feature, threshold, left, right, missing_left):
    while left[node] >= 0:
        value = np.float64(rows[row, feature[node]])
        go_left = value <= threshold[node] or (np.isnan(value) and missing_left[node])
        node = left[node] if go_left else right[node]
    return node


@entry
def sums(rows, feature, threshold, left, right, missing_left, value, roots, base):
    """float64 rows × outputs: the leaves of each row added up in the order of the trees, from ``base`` on."""
    output = np.empty((rows.shape[0], value.shape[1]))
    for row in range(rows.shape[0]):
        output[row, :] = base
        for root in roots:
            node = _leaf(rows, row, root, feature, threshold, left, right, missing_left)
            for place in range(value.shape[1]):
                output[row, place] += value[node, place]
    return output


@entry
def leaves(rows, feature, threshold, left, right, missing_left, roots):
    """int32 rows × trees: the node in which each row ends."""
    output = np.empty((rows.shape[0], roots.shape[0]), dtype=np.int32)
    for row in range(rows.shape[0]):
        for tree in range(roots.shape[0]):
            output[row, tree] = _leaf(rows, row, roots[tree], feature, threshold, left, right, missing_left)
    return output
