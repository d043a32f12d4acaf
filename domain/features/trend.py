"""Where prices have been, on average and at most."""

from __future__ import annotations

import numpy as np
from pandas import Series

from domain.features.base import feature


@feature(unit="price", source="arithmetic mean")
def sma(close: Series, *, window: int = 20) -> Series:
    """Simple moving average:  SMA_t = mean(close_{t-window+1} … close_t). NaN before ``window`` bars.

    >>> sma(Series([1.0, 2.0, 4.0]), window=2).tolist()
    [nan, 1.5, 3.0]
    """
    return close.rolling(window).mean()


@feature(unit="price", source="Donchian (1960), the upper band, without the present bar")
def channel_high(high: Series, *, window: int = 20) -> Series:
    """Highest high of the ``window`` bars before this one. NaN before ``window`` + 1 bars.

    >>> channel_high(Series([3.0, 2.0, 5.0, 1.0]), window=2).tolist()
    [nan, nan, 3.0, 5.0]
    """
    return _before(high, window, np.maximum)


@feature(unit="price", source="Donchian (1960), the lower band, without the present bar")
def channel_low(low: Series, *, window: int = 20) -> Series:
    """Lowest low of the ``window`` bars before this one. NaN before ``window`` + 1 bars.

    >>> channel_low(Series([3.0, 2.0, 5.0, 1.0]), window=2).tolist()
    [nan, nan, 2.0, 2.0]
    """
    return _before(low, window, np.minimum)


def _before(column: Series, window: int, extreme: np.ufunc) -> Series:
    """The extreme of the ``window`` values before each; NaN where one of them is. Spans are doubled, so it takes log2(window) passes."""
    span, length = column.to_numpy(np.float64)[:-1], 1
    found = np.full(len(column), np.nan)
    if len(span) < window:
        return Series(found, index=column.index)
    while length < window:
        step = min(length, window - length)
        span, length = extreme(span[step:], span[:-step]), length + step
    found[window:] = span
    return Series(found, index=column.index)
