"""Quantiles of labels that share leaves with a row."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry

BLOCK = 256     # labels whose weights are summed together, so that few have to be walked through


@compiled
def _place(share, blocks, level):
    """The first label up to which the shares add up to ``level``; the last that has one where rounding leaves them short."""
    below, block = 0.0, 0
    while block + 1 < blocks.shape[0] and below + blocks[block] < level:
        below += blocks[block]
        block += 1
    last = 0
    for at in range(block * BLOCK, share.shape[0]):
        below += share[at]
        if share[at] > 0.0:
            last = at
            if below >= level:
                return at
    while last == 0 and block > 0:
        block -= 1
        for at in range(block * BLOCK, (block + 1) * BLOCK):
            if share[at] > 0.0:
                last = at
    return last


@entry
def quantiles(leaves, starts, members, weight, labels, levels):
    """float64 rows × levels. ``leaves``: rows × trees, nodes; the members of node n stand from ``starts[n]`` to ``starts[n + 1]``, ascending by label."""
    output = np.empty((leaves.shape[0], levels.shape[0]))
    share, blocks = np.zeros(labels.shape[0]), np.zeros(labels.shape[0] // BLOCK + 1)
    for row in range(leaves.shape[0]):
        for tree in range(leaves.shape[1]):
            first, last, total = starts[leaves[row, tree]], starts[leaves[row, tree] + 1], 0.0
            for at in range(first, last):
                total += weight[members[at]]
            for at in range(first, last):
                part = weight[members[at]] / total / leaves.shape[1]
                share[members[at]] += part
                blocks[members[at] // BLOCK] += part
        for number in range(levels.shape[0]):
            output[row, number] = labels[_place(share, blocks, levels[number] - 1e-12)]
        for tree in range(leaves.shape[1]):
            for at in range(starts[leaves[row, tree]], starts[leaves[row, tree] + 1]):
                share[members[at]] = 0.0
                blocks[members[at] // BLOCK] = 0.0
    return output
