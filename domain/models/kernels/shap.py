"""TreeSHAP, path-dependent."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry

# The unique path of a node: for each feature on it the share of training rows that pass when the feature is unknown (``zero``), whether this row
# passes (``whole``), and the weights of the subsets by size. Paths of all depths lie one after another in the same arrays: depth d begins at
# d · (d + 1) / 2, since a path of depth d has up to d + 1 places.


@compiled
def _extend(names, zero, whole, weight, start, length, name, zero_share, whole_share):
    names[start + length], zero[start + length], whole[start + length] = name, zero_share, whole_share
    weight[start + length] = 1.0 if length == 0 else 0.0
    for place in range(length - 1, -1, -1):
        weight[start + place + 1] += whole_share * weight[start + place] * (place + 1.0) / (length + 1.0)
        weight[start + place] = zero_share * weight[start + place] * (length - place) / (length + 1.0)


@compiled
def _unwind(names, zero, whole, weight, start, length, at):
    """Take the feature at ``at`` out of a path whose last place is ``length``."""
    zero_share, whole_share, following = zero[start + at], whole[start + at], weight[start + length]
    for place in range(length - 1, -1, -1):
        if whole_share != 0.0:
            before = weight[start + place]
            weight[start + place] = following * (length + 1.0) / ((place + 1.0) * whole_share)
            following = before - weight[start + place] * zero_share * (length - place) / (length + 1.0)
        else:
            weight[start + place] = weight[start + place] * (length + 1.0) / (zero_share * (length - place))
    for place in range(at, length):
        names[start + place], zero[start + place], whole[start + place] = names[start + place + 1], zero[start + place + 1], whole[start + place + 1]


@compiled
def _total(zero, whole, weight, start, length, at):
    """Sum of the weights of a path without the feature at ``at``."""
    zero_share, whole_share, following, total = zero[start + at], whole[start + at], weight[start + length], 0.0
    for place in range(length - 1, -1, -1):
        if whole_share != 0.0:
            part = following * (length + 1.0) / ((place + 1.0) * whole_share)
            total += part
            following = weight[start + place] - part * zero_share * (length - place) / (length + 1.0)
        else:
            total += weight[start + place] * (length + 1.0) / (zero_share * (length - place))
    return total


@entry
def shap(rows, feature, threshold, left, right, missing_left, cover, value, roots, depth, base):
    """float64 rows × (features + 1), the mean over training last. Depth first, with a stack of nodes to come."""
    places = (depth + 2) * (depth + 3)
    names, zero, whole, weight = np.empty(places, np.int64), np.empty(places), np.empty(places), np.empty(places)
    node_at, level_at, length_at = np.empty(2 * depth + 4, np.int64), np.empty(2 * depth + 4, np.int64), np.empty(2 * depth + 4, np.int64)
    zero_at, whole_at, name_at = np.empty(2 * depth + 4), np.empty(2 * depth + 4), np.empty(2 * depth + 4, np.int64)
    output = np.zeros((rows.shape[0], rows.shape[1] + 1))
    mean = base
    for root in roots:
        mean += _mean(root, left, right, cover, value)
    for row in range(rows.shape[0]):
        output[row, rows.shape[1]] = mean
        for root in roots:
            node_at[0], level_at[0], length_at[0], zero_at[0], whole_at[0], name_at[0] = root, 0, 0, 1.0, 1.0, -1
            waiting = 1
            while waiting:
                waiting -= 1
                node, level, length = node_at[waiting], level_at[waiting], length_at[waiting]
                start, above = level * (level + 1) // 2, (level - 1) * level // 2
                for place in range(length):
                    names[start + place], zero[start + place] = names[above + place], zero[above + place]
                    whole[start + place], weight[start + place] = whole[above + place], weight[above + place]
                zero_share, whole_share, name = zero_at[waiting], whole_at[waiting], name_at[waiting]
                for place in range(1, length):
                    if names[start + place] == name:
                        zero_share, whole_share = zero_share * zero[start + place], whole_share * whole[start + place]
                        _unwind(names, zero, whole, weight, start, length - 1, place)
                        length -= 1
                        break
                _extend(names, zero, whole, weight, start, length, name, zero_share, whole_share)
                length += 1
                if left[node] < 0:
                    for place in range(1, length):
                        share = _total(zero, whole, weight, start, length - 1, place)
                        output[row, names[start + place]] += share * (whole[start + place] - zero[start + place]) * value[node]
                    continue
                known = np.float64(rows[row, feature[node]])
                go_left = known <= threshold[node] or (np.isnan(known) and missing_left[node])
                for child in (right[node], left[node]):
                    node_at[waiting], level_at[waiting], length_at[waiting], name_at[waiting] = child, level + 1, length, feature[node]
                    zero_at[waiting] = cover[child] / cover[node]
                    whole_at[waiting] = 1.0 if (child == left[node]) == go_left else 0.0
                    waiting += 1
    return output


@compiled
def _mean(root, left, right, cover, value):
    """The mean of a tree's leaves, each by its share of the training rows."""
    stop = root + 1
    total, last = 0.0, root
    while True:     # nodes of a tree lie together, a parent before its children
        node = stop - 1
        if left[node] < 0:
            total += value[node] * cover[node] / cover[root]
        else:
            last = max(last, left[node], right[node])
        if node == last:
            return total
        stop += 1
