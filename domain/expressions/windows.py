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


def sliding(values: np.ndarray, window: int, join: Join, missing: float | np.int8) -> np.ndarray:
    """The same for each place, ``missing`` where the window is not full.

    >>> sliding(np.array([1.0, 5.0, np.nan]), 2, np.add, np.nan).tolist()
    [nan, 6.0, nan]
    """
    output = np.full(len(values), missing, values.dtype)
    output[window - 1 :] = joined(values, window, join)
    return output


def lagged(values: np.ndarray, n: int, missing: float | np.int8) -> np.ndarray:
    """The value ``n`` places before."""
    output = np.full(len(values), missing, values.dtype)
    output[n:] = values[:-n] if n < len(values) else values[:0]
    return output


def moments(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Means of full windows, and sums of squares about them; NaN where a window is not full or holds an unknown value.

    Spans of two means are put together after Chan, Golub and LeVeque (1979), as the features' windows are (domain/features/kernels/windows.py), so
    that mean(close, 20) has the bits of sma(20). Equal values have exactly their value as mean, and no deviation.

    >>> [column.tolist() for column in moments(np.array([0.1, 0.1, 0.1, 1.0]), 3)][0][2]
    0.1
    """
    mean, squares = np.full(len(values), np.nan), np.full(len(values), np.nan)
    count = len(values) - window + 1
    if count <= 0:
        return mean, squares
    part, sums, length, done = values, np.zeros(len(values)), 1, 0
    total, total_sums = part[:0], sums[:0]
    while True:
        if window & length:
            if not done:
                total, total_sums = part[:count], sums[:count]
            else:
                off = part[done : done + count] - total
                total_sums = total_sums + (sums[done : done + count] + (off * off) * (done * length / (done + length)))
                total = total + off * (length / (done + length))
            done += length
        if done == window:
            break
        off = part[length:] - part[:-length]
        sums = sums[:-length] + sums[length:] + (off * off) * (length / 2)
        part = part[:-length] + off * 0.5
        length *= 2
    mean[window - 1 :], squares[window - 1 :] = total, np.where(np.isnan(total), np.nan, total_sums)
    return mean, squares
