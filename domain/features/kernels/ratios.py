"""One column over another, where there is something to divide by: see ``domain.rounding``. For ranges of prices and their averages that is a
hundredth of the instrument's tick, where it is known, and more than rounding of the price in any case."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry
from domain.rounding import LEAST_TICKS, ROUNDING


@entry
def over(top, bottom):
    """Each value over the other; NaN where that is not above 0."""
    ratio = np.full(top.shape[0], np.nan)
    for i in range(top.shape[0]):
        if bottom[i] > 0:
            ratio[i] = top[i] / bottom[i]
    return ratio


@compiled
def is_range(size, price, tick):
    """Whether a range of prices, or an average of ranges, is more than rounding at this price. ``tick`` 0: not known."""
    return size > 0.0 and size >= LEAST_TICKS * tick and size > ROUNDING * abs(price)


@entry
def over_range(top, ranges, price, tick):
    """Each value over a range of prices or an average of ranges; NaN where that is none: see ``is_range``."""
    ratio = np.full(top.shape[0], np.nan)
    for i in range(top.shape[0]):
        if is_range(ranges[i], price[i], tick):
            ratio[i] = top[i] / ranges[i]
    return ratio


@entry
def shares_of_range(part, ranges, price):
    """Part of a range over the whole of it; 0 where there is no range, NaN where it is unknown."""
    share = np.empty(part.shape[0])
    for i in range(part.shape[0]):
        share[i] = 0.0 if ranges[i] <= ROUNDING * abs(price[i]) else part[i] / ranges[i]
    return share
