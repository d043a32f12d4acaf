"""Momentum: the speed of prices, and their position in the recent range."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, feature

WILDER = "Wilder (1978), New Concepts in Technical Trading Systems"
APPEL = "Appel (2005), Technical Analysis: Power Tools for Active Investors"
LANE = "Lane (1984), Lane's Stochastics"


@feature(unit="price", source="difference of closes", warm_up=lambda window: window)
def momentum(close: Column, *, window: int = 10) -> Column:
    """Change of the close over ``window`` bars:  C_t − C_{t-window}. NaN before ``window`` + 1 bars.

    >>> momentum([1.0, 3.0, 4.0], window=2).tolist()
    [nan, nan, 3.0]
    """
    output = np.empty(len(close))
    output[:window] = np.nan
    np.subtract(close[window:], close[:-window], out=output[window:])
    return output


@feature(unit="%", source="TA-Lib ROC", warm_up=lambda window: window)
def roc(close: Column, *, window: int = 10) -> Column:
    """Rate of change over ``window`` bars:  100 · (C_t / C_{t-window} − 1). NaN before ``window`` + 1 bars, and where the close before is not above 0.

    >>> roc([2.0, 2.5, 3.0], window=2).tolist()
    [nan, nan, 50.0]
    """
    from domain.features.kernels.ranges import growth

    return 100.0 * growth(close, window)


@feature(unit="%", source=WILDER, low=0.0, high=100.0, warm_up=lambda window: window, state=4)
def rsi(close: Column, *, window: int = 14, state: np.ndarray) -> Column:
    """Relative strength index:  100 · U / (U + D), U and D the rises and falls of the close in Wilder's smoothing, begun with their plain means.
    NaN before ``window`` + 1 bars. Where no price has moved it is 50, neither strong nor weak (0 in TA-Lib).

    >>> rsi([1.0, 2.0, 1.0, 4.0], window=2).tolist()
    [nan, nan, 50.0, 87.5]
    """
    from domain.features.kernels.wilder import relative_strength

    return relative_strength(close, window, state)


@feature(unit="price", source=APPEL, warm_up=lambda fast, slow: max(fast, slow) - 1, state=5)
def macd(close: Column, *, fast: int = 12, slow: int = 26, state: np.ndarray) -> Column:
    """Moving average convergence divergence:  EMA(``fast``) − EMA(``slow``) of the close. NaN before ``slow`` bars.
    Both averages begin at the same bar, each with the mean of its last closes, as TA-Lib's do (which holds the line back until the signal has begun).

    >>> macd([1.0, 2.0, 3.0, 6.0], fast=1, slow=3).tolist()
    [nan, nan, 1.0, 2.0]
    """
    from domain.features.kernels.smoothing import crossed

    return crossed(close, fast, slow, 1, state)[0]


@feature(unit="price", source=APPEL, warm_up=lambda fast, slow, signal: max(fast, slow) + signal - 2, state=5)
def macd_signal(close: Column, *, fast: int = 12, slow: int = 26, signal: int = 9, state: np.ndarray) -> Column:
    """Signal line:  EMA(``signal``) of the MACD, begun with the mean of its first values. NaN before ``slow`` + ``signal`` − 1 bars.

    >>> macd_signal([1.0, 2.0, 3.0, 6.0], fast=1, slow=3, signal=2).tolist()
    [nan, nan, nan, 1.5]
    """
    from domain.features.kernels.smoothing import crossed

    return crossed(close, fast, slow, signal, state)[1]


@feature(unit="price", source=APPEL, warm_up=lambda fast, slow, signal: max(fast, slow) + signal - 2, state=5)
def macd_histogram(close: Column, *, fast: int = 12, slow: int = 26, signal: int = 9, state: np.ndarray) -> Column:
    """Histogram:  MACD − its signal line. NaN before ``slow`` + ``signal`` − 1 bars; 0 where no price moves.

    >>> macd_histogram([1.0, 2.0, 3.0, 6.0], fast=1, slow=3, signal=2).tolist()
    [nan, nan, nan, 0.5]
    """
    from domain.features.kernels.smoothing import crossed

    line, smoothed = crossed(close, fast, slow, signal, state)
    return line - smoothed


@feature(unit="%", source=LANE, low=0.0, high=100.0, warm_up=lambda window, smoothing: window + smoothing - 2)
def stochastic_k(high: Column, low: Column, close: Column, *, window: int = 14, smoothing: int = 3) -> Column:
    """Stochastic %K:  mean of the last ``smoothing`` places of the close between the lowest low (0) and highest high (100) of ``window`` bars.
    With a smoothing of 1 it is the fast one. NaN before ``window`` + ``smoothing`` − 1 bars. A bar without a range to stand in counts as 50 (0 in TA-Lib).

    >>> stochastic_k([2.0, 4.0], [1.0, 2.0], [1.5, 3.25], window=2, smoothing=1).tolist()
    [nan, 75.0]
    """
    from domain.features.kernels.extremes import places
    from domain.features.kernels.windows import means

    return 100.0 * means(places(high, low, close, window, 0.5), smoothing)


@feature(unit="%", source=LANE, low=0.0, high=100.0, warm_up=lambda window, smoothing, signal: window + smoothing + signal - 3)
def stochastic_d(high: Column, low: Column, close: Column, *, window: int = 14, smoothing: int = 3, signal: int = 3) -> Column:
    """Stochastic %D:  mean of the last ``signal`` values of %K. NaN before ``window`` + ``smoothing`` + ``signal`` − 2 bars.

    >>> stochastic_d([2.0, 4.0, 4.0], [1.0, 2.0, 2.0], [1.5, 3.25, 2.5], window=2, smoothing=1, signal=2).tolist()
    [nan, nan, 50.0]
    """
    from domain.features.kernels.extremes import places
    from domain.features.kernels.windows import means

    return 100.0 * means(means(places(high, low, close, window, 0.5), smoothing), signal)


@feature(unit="%", source="Williams (1979), How I Made One Million Dollars", low=-100.0, high=0.0, warm_up=lambda window: window - 1)
def williams_r(high: Column, low: Column, close: Column, *, window: int = 14) -> Column:
    """Williams' %R:  −100 · (highest high − C) / (highest high − lowest low) over the last ``window`` bars: 0 at the top, −100 at the bottom.
    NaN before ``window`` bars; −50 where these have no range (0 in TA-Lib).

    >>> williams_r([2.0, 4.0], [1.0, 2.0], [1.5, 3.25], window=2).tolist()
    [nan, -25.0]
    """
    from domain.features.kernels.extremes import places

    return places(high, low, close, window, 0.5, -100.0, 100.0)


@feature(unit="ratio", source="Lambert (1980), Commodity Channel Index", warm_up=lambda window: window - 1)
def cci(high: Column, low: Column, close: Column, *, window: int = 20) -> Column:
    """Commodity channel index:  (P − mean P) / (0.015 · mean |P − mean P|) over the last ``window`` bars, P = (H + L + C) / 3.
    NaN before ``window`` bars; 0 where no price has moved.

    >>> cci([1.0, 2.0, 6.0], [1.0, 2.0, 6.0], [1.0, 2.0, 6.0], window=3).round(6).tolist()
    [nan, nan, 100.0]
    """
    from domain.features.kernels.windows import distance_scores

    output = distance_scores((high + low + close) / 3.0, window)
    output /= 0.015
    return output
