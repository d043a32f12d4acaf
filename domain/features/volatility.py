"""How much prices move."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, feature


@feature(unit="price", source="Wilder (1978), New Concepts in Technical Trading Systems", low=0.0, warm_up=1)
def true_range(high: Column, low: Column, close: Column) -> Column:
    """Range of the bar, from the close before it:  max(high_t, close_{t-1}) − min(low_t, close_{t-1}). NaN at the first bar.

    >>> true_range([2.0, 4.0], [1.0, 3.0], [1.5, 3.5]).tolist()
    [nan, 2.5]
    """
    made = np.full(len(close), np.nan)
    made[1:] = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
    return made


@feature(unit="price", source="Wilder (1978), New Concepts in Technical Trading Systems", low=0.0, warm_up=lambda window: window - 1, memory=lambda window: 30 * window)
def atr(true_range: Column, *, window: int = 14) -> Column:
    """Average true range, Wilder's smoothing:  ATR_t = ATR_{t-1} + (TR_t − ATR_{t-1}) / window.
    The first value is the plain mean of the first ``window`` true ranges; before it, NaN.

    >>> atr([1.0, 2.0, 3.0], window=2).tolist()
    [nan, 1.5, 2.25]
    """
    from domain.features.kernels.smoothing import wilder

    return wilder(true_range, window)


@feature(unit="ratio", source="own definition", low=0.0, warm_up=lambda window, against: window + against - 2, memory=lambda window, against: 30 * window + against)
def atr_ratio(true_range: Column, *, window: int = 14, against: int = 100) -> Column:
    """ATR over its own mean of the last ``against`` bars: above 1 the market moves more than it did.
    NaN before the ATR has ``against`` values.

    >>> atr_ratio([1.0, 1.0, 4.0], window=1, against=2).tolist()
    [nan, 1.0, 1.6]
    """
    from domain.features.kernels.windows import means

    smoothed = atr(true_range, window=window)
    return smoothed / means(smoothed, against)
