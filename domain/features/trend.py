"""Where prices have been, on average and at most."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, feature


@feature(unit="price", source="arithmetic mean", warm_up=lambda window: window - 1)
def sma(close: Column, *, window: int = 20) -> Column:
    """Simple moving average:  SMA_t = mean(close_{t-window+1} … close_t). NaN before ``window`` bars.

    >>> sma([1.0, 2.0, 4.0], window=2).tolist()
    [nan, 1.5, 3.0]
    """
    from domain.features.kernels.windows import means

    return means(close, window)


@feature(unit="price", source="Donchian (1960), the upper band, without the present bar", warm_up=lambda window: window)
def channel_high(high: Column, *, window: int = 20) -> Column:
    """Highest high of the ``window`` bars before this one. NaN before ``window`` + 1 bars.

    >>> channel_high([3.0, 2.0, 5.0, 1.0], window=2).tolist()
    [nan, nan, 3.0, 5.0]
    """
    return _before(high, window, np.maximum)


@feature(unit="price", source="Donchian (1960), the lower band, without the present bar", warm_up=lambda window: window)
def channel_low(low: Column, *, window: int = 20) -> Column:
    """Lowest low of the ``window`` bars before this one. NaN before ``window`` + 1 bars.

    >>> channel_low([3.0, 2.0, 5.0, 1.0], window=2).tolist()
    [nan, nan, 2.0, 2.0]
    """
    return _before(low, window, np.minimum)


def _before(column: Column, window: int, extreme: np.ufunc) -> Column:
    """The extreme of the ``window`` values before each; NaN where one of them is. Spans are doubled, so it takes log2(window) passes."""
    span, length = column[:-1], 1
    found = np.full(len(column), np.nan)
    if len(span) < window:
        return found
    while length < window:
        step = min(length, window - length)
        span, length = extreme(span[step:], span[:-step]), length + step
    found[window:] = span
    return found
