"""How far prices reached, bar by bar: true ranges, and shares of prices in one another."""

from __future__ import annotations

import numpy as np

from domain.compiled import entry


@entry
def true_range(high, low, last):
    """The range of a bar with the close before it."""
    return max(high, last) - min(low, last)


@entry
def true_ranges(high, low, close):
    """The range of each bar with the close before it; NaN at the first."""
    made = np.empty(close.shape[0])
    made[:1] = np.nan
    last, high_after, low_after, to = close[:-1], high[1:], low[1:], made[1:]
    for i in range(to.shape[0]):
        to[i] = true_range(high_after[i], low_after[i], last[i])
    return made


@entry
def growth(values, window):
    """Each value over the one ``window`` places before, less 1; NaN where that is not above 0: from -38 to 10 is no fall of 127 %."""
    made = np.empty(values.shape[0])
    made[:window] = np.nan
    before, after, to = values[: values.shape[0] - min(window, values.shape[0])], values[window:], made[window:]
    for i in range(to.shape[0]):
        share = after[i] / before[i] - 1.0
        to[i] = share if before[i] > 0.0 else np.nan
    return made


@entry
def shares(one, other):
    """One price over another; NaN where either is not above 0, so that there is a logarithm of the rest."""
    made = np.empty(one.shape[0])
    for i in range(made.shape[0]):
        share = one[i] / other[i]
        made[i] = share if (one[i] > 0.0) & (other[i] > 0.0) else np.nan
    return made


@entry
def later_shares(one, other, window):
    """One price over another ``window`` places before."""
    made = np.empty(one.shape[0])
    made[:window] = np.nan
    made[window:] = shares(one[window:], other[: max(other.shape[0] - window, 0)])
    return made


@entry
def inside_terms(up, down, body):
    """Rogers and Satchell's variance of each bar, from logarithms of high, low and close over open."""
    made = np.empty(body.shape[0])
    for i in range(made.shape[0]):
        made[i] = up[i] * (up[i] - body[i]) + down[i] * (down[i] - body[i])
    return made
