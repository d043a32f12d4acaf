"""How far and how long curves lay below their highest value so far: one pass over them, in parts that fit into the processor's cache."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

PART = 16_384       # rows


class Falls(NamedTuple):
    """Shares are the lowest value over the highest before it, less 1: 0 or below, NaN where the curve did not begin above 0."""

    equity: float
    low: float          # at the adverse extremes, below the highest closing equity
    balance: float
    money: float        # the largest fall of equity
    longest: int        # nanoseconds from a high of equity until it was reached again, or to the end
    size: float         # of the highest equity


def falls_of(ts: np.ndarray, equity: np.ndarray, low: np.ndarray, balance: np.ndarray, start: float) -> Falls:
    """Of curves with at least one row.

    >>> curve = np.array([110.0, 99.0, 121.0])
    >>> [round(x, 9) for x in falls_of(np.array([0, 5, 9]), curve, curve - 11.0, curve, 100.0)]
    [-0.1, -0.2, -0.1, 11.0, 9, 121.0]
    """
    high, closed, lowest, highs = start, start, [], [np.zeros(0, np.int64)]
    for first in range(0, len(equity), PART):
        part = slice(first, first + PART)
        value, (of_balance, closed) = equity[part], _closed(balance[part], closed)
        if value.max() < high:          # one peak for all of them
            lowest.append((value.min() / high, low[part].min() / high, of_balance, value.min() - high))
            continue
        peak = _peak(value, high)
        lowest.append(((value / peak).min(), (low[part] / peak).min(), of_balance, (value - peak).min()))
        highs.append(first + np.flatnonzero(value >= peak))
        high = peak[-1]
    least = np.min(lowest, axis=0)
    began = [max(equity[0], start), max(equity[0], start), max(balance[0], start)]
    deepest, deepest_low, of_closed = (min(float(value) - 1.0, 0.0) if first > 0 else np.nan for value, first in zip(least, began, strict=False))
    return Falls(deepest, deepest_low, of_closed, -float(least[3]), _longest(ts, np.concatenate(highs)), float(np.maximum(abs(began[0]), abs(high))))


def _closed(balance: np.ndarray, before: float) -> tuple[float, float]:
    """The lowest of these over the peak, and the peak after them."""
    if balance.max() < before:
        return balance.min() / before, before
    peak = _peak(balance, before)
    return (balance / peak).min(), peak[-1]


def _peak(values: np.ndarray, before: float) -> np.ndarray:
    peak = np.maximum.accumulate(values)
    return np.maximum(peak, before, out=peak)


def _longest(ts: np.ndarray, highs: np.ndarray) -> int:
    """From a row at the highest value so far, or the first, to the next, or to the end."""
    spells = highs if len(highs) and highs[0] == 0 else np.concatenate(([0], highs))
    return int(np.diff(np.append(ts[spells], ts[-1])).max())
