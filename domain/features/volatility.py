"""How much prices move."""

from __future__ import annotations

import numpy as np
from pandas import Series

from domain.features.base import feature


@feature(unit="price", source="Wilder (1978), New Concepts in Technical Trading Systems")
def true_range(high: Series, low: Series, close: Series) -> Series:
    """Range of the bar, from the close before it:  max(high_t, close_{t-1}) − min(low_t, close_{t-1}). NaN at the first bar.

    >>> true_range(Series([2.0, 4.0]), Series([1.0, 3.0]), Series([1.5, 3.5])).tolist()
    [nan, 2.5]
    """
    before = close.shift(1)
    return np.maximum(high, before) - np.minimum(low, before)


@feature(unit="price", source="Wilder (1978), New Concepts in Technical Trading Systems")
def atr(true_range: Series, *, window: int = 14) -> Series:
    """Average true range, Wilder's smoothing:  ATR_t = ATR_{t-1} + (TR_t − ATR_{t-1}) / window.
    The first value is the plain mean of the first ``window`` true ranges; before it, NaN.

    >>> atr(Series([1.0, 2.0, 3.0]), window=2).tolist()
    [nan, 1.5, 2.25]
    """
    values = true_range.to_numpy(np.float64)
    known = np.flatnonzero(~np.isnan(values))
    smoothed = np.full(len(values), np.nan)
    if len(known) >= window:
        first = known[window - 1]
        places = slice(first, None) if len(known) - window + 1 == len(values) - first else known[window - 1 :]
        seeded = values[places].copy()
        seeded[0] = values[known[:window]].mean()
        smoothed[places] = Series(seeded).ewm(alpha=1.0 / window, adjust=False).mean()
    return Series(smoothed, index=true_range.index)


@feature(unit="ratio", source="own definition")
def atr_ratio(true_range: Series, *, window: int = 14, against: int = 100) -> Series:
    """ATR over its own mean of the last ``against`` bars: above 1 the market moves more than it did.
    NaN before the ATR has ``against`` values.

    >>> atr_ratio(Series([1.0, 1.0, 4.0]), window=1, against=2).tolist()
    [nan, 1.0, 1.6]
    """
    smoothed = atr(true_range, window=window)
    return smoothed / smoothed.rolling(against).mean()
