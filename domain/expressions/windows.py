"""Sums and extremes of a sliding window from spans that double in length: a window of any length costs a few passes, and the same window gives
the same bits wherever it stands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Join = Callable[[np.ndarray, np.ndarray], np.ndarray]


def joined(values: np.ndarray, window: int, join: Join) -> np.ndarray:
    """``join`` over each full window, the first at place 0; empty where there is none.

    >>> joined(np.array([1.0, 5.0, 2.0, 4.0]), 3, np.maximum).tolist(), joined(np.arange(1.0, 6.0), 5, np.add).tolist()
    ([5.0, 5.0], [15.0])
    """
    count = len(values) - window + 1
    if count <= 0:
        return values[:0]
    spans, length, done, total = values, 1, 0, values[:0]
    while done < window:
        if window & length:
            part = spans[done : done + count]
            total = part if not done else join(total, part)
            done += length
        if done < window:
            spans = join(spans[:-length], spans[length:])
            length *= 2
    return total


def sliding(values: np.ndarray, window: int, join: Join, missing: float) -> np.ndarray:
    """The same for each place, ``missing`` where the window is not full.

    >>> sliding(np.array([1.0, 5.0, np.nan]), 2, np.add, np.nan).tolist()
    [nan, 6.0, nan]
    """
    output = np.full(len(values), missing, values.dtype)
    output[window - 1 :] = joined(values, window, join)
    return output


def lagged(values: np.ndarray, n: int, missing: float) -> np.ndarray:
    """The value ``n`` places before."""
    output = np.full(len(values), missing, values.dtype)
    output[n:] = values[:-n] if n < len(values) else values[:0]
    return output
