"""One row through many trees, eight at a time: while one waits for its node, the others go on."""

from __future__ import annotations

import numpy as np

from domain.compiled import entry


@entry
def walked(row, both, nodes, thresholds, values, roots, steps, order, ends, sums):
    """Fills ``sums``, one an ensemble, from a row of float32. ``both`` is room for it twice: as it is, then with −inf for NaN.

    ``nodes``: feature and left child of each node, its right child being the next one; a leaf leads back to itself. ``steps``: of each group of eight
    trees. ``order``: places of ``roots`` by number of tree. ``ends``: last tree of each ensemble, and one more.
    """
    columns = row.shape[0]
    for place in range(columns):
        both[place] = row[place]
        both[columns + place] = -np.inf if np.isnan(row[place]) else row[place]
    at = roots.copy()
    for group in range(steps.shape[0]):
        first = group * 8
        a, b, c, d = at[first], at[first + 1], at[first + 2], at[first + 3]
        e, f, g, h = at[first + 4], at[first + 5], at[first + 6], at[first + 7]
        for _ in range(steps[group]):
            a = nodes[a, 1] + (not both[nodes[a, 0]] <= thresholds[a])
            b = nodes[b, 1] + (not both[nodes[b, 0]] <= thresholds[b])
            c = nodes[c, 1] + (not both[nodes[c, 0]] <= thresholds[c])
            d = nodes[d, 1] + (not both[nodes[d, 0]] <= thresholds[d])
            e = nodes[e, 1] + (not both[nodes[e, 0]] <= thresholds[e])
            f = nodes[f, 1] + (not both[nodes[f, 0]] <= thresholds[f])
            g = nodes[g, 1] + (not both[nodes[g, 0]] <= thresholds[g])
            h = nodes[h, 1] + (not both[nodes[h, 0]] <= thresholds[h])
        at[first], at[first + 1], at[first + 2], at[first + 3] = a, b, c, d
        at[first + 4], at[first + 5], at[first + 6], at[first + 7] = e, f, g, h
    for ensemble in range(sums.shape[0]):
        total = 0.0
        for tree in range(ends[ensemble], ends[ensemble + 1]):
            total += values[at[order[tree]]]
        sums[ensemble] = total
