"""The population stability index of a rolling window against the one before it."""

from __future__ import annotations

import numpy as np

from domain.backtest.memory import compiled, entry

RECENT, BEFORE = 500, 5_000     # values that are compared
BINS, LEAST = 10, 50            # of the earlier ones; finite values on either side


@entry
def rolling_psi(values, out):
    """The index at each value whose two windows are whole and have enough finite values. ``out`` is given as NaN."""
    before, recent, edges = np.empty(BEFORE + 1), np.empty(RECENT + 1), np.empty(BINS - 1)
    earlier, later = 0, 0           # how many finite values each holds, in order
    for i in range(values.shape[0]):
        later = put(recent, later, values[i])
        if i >= RECENT:
            later = taken(recent, later, values[i - RECENT])
            earlier = put(before, earlier, values[i - RECENT])
        if i >= RECENT + BEFORE:
            earlier = taken(before, earlier, values[i - RECENT - BEFORE])
        if i >= RECENT + BEFORE - 1 and earlier >= LEAST and later >= LEAST:
            out[i] = index_of(before, earlier, recent, later, edges)


@compiled
def index_of(before, earlier, recent, later, edges):
    """Both in order. A bin begins at each distinct decile of the earlier values."""
    count = 0
    for j in range(1, BINS):
        edge = before[earlier * j // BINS]
        if count == 0 or edge > edges[count - 1]:
            edges[count] = edge
            count += 1
    total, seen, new = 0.0, 0, 0
    for j in range(count + 1):
        upto = below(before, earlier, edges[j]) if j < count else earlier
        reach = below(recent, later, edges[j]) if j < count else later
        b = (upto - seen + 0.5) / (earlier + 0.5 * (count + 1))
        a = (reach - new + 0.5) / (later + 0.5 * (count + 1))
        total += (a - b) * np.log(a / b)
        seen, new = upto, reach
    return total


@compiled
def below(ordered, count, value):
    """How many of the values are below this one."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def put(ordered, count, value):
    """Insert a finite value; how many there are."""
    if not np.isfinite(value):
        return count
    place = below(ordered, count, value)
    for i in range(count, place, -1):
        ordered[i] = ordered[i - 1]
    ordered[place] = value
    return count + 1


@compiled
def taken(ordered, count, value):
    """Remove a finite value that is there; how many there are."""
    if not np.isfinite(value):
        return count
    for i in range(below(ordered, count, value), count - 1):
        ordered[i] = ordered[i + 1]
    return count - 1
