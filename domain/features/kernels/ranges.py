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
    output = np.empty(close.shape[0])
    output[:1] = np.nan
    last, high_after, low_after, to = close[:-1], high[1:], low[1:], output[1:]
    for i in range(to.shape[0]):
        to[i] = true_range(high_after[i], low_after[i], last[i])
    return output


@entry
def growth(values, window):
    """Each value over the one ``window`` places before, less 1; NaN where that is not above 0: from -38 to 10 is no fall of 127 %."""
    output = np.empty(values.shape[0])
    output[:window] = np.nan
    before, after, to = values[: values.shape[0] - min(window, values.shape[0])], values[window:], output[window:]
    for i in range(to.shape[0]):
        share = after[i] / before[i] - 1.0
        to[i] = share if before[i] > 0.0 else np.nan
    return output


@entry
def shares(price, other):
    """One price over another; NaN where either is not above 0, so that there is a logarithm of the rest."""
    output = np.empty(price.shape[0])
    for i in range(output.shape[0]):
        share = price[i] / other[i]
        output[i] = share if (price[i] > 0.0) & (other[i] > 0.0) else np.nan
    return output


@entry
def later_shares(price, other, window):
    """One price over another ``window`` places before."""
    output = np.empty(price.shape[0])
    output[:window] = np.nan
    output[window:] = shares(price[window:], other[: max(other.shape[0] - window, 0)])
    return output


@entry
def inside_terms(up, down, body):
    """Rogers and Satchell's variance of each bar, from logarithms of high, low and close over open."""
    output = np.empty(body.shape[0])
    for i in range(output.shape[0]):
        output[i] = up[i] * (up[i] - body[i]) + down[i] * (down[i] - body[i])
    return output
