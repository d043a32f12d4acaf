"""Where prices have been, on average and at most."""

from __future__ import annotations

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
    return high.rolling(window).max().shift(1)


@feature(unit="price", source="Donchian (1960), the lower band, without the present bar")
def channel_low(low: Series, *, window: int = 20) -> Series:
    """Lowest low of the ``window`` bars before this one. NaN before ``window`` + 1 bars.

    >>> channel_low(Series([3.0, 2.0, 5.0, 1.0]), window=2).tolist()
    [nan, nan, 2.0, 2.0]
    """
    return low.rolling(window).min().shift(1)
