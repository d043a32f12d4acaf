"""Where prices have been, on average and at most, and which way they go."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, continued, feature

WILDER = "Wilder (1978), New Concepts in Technical Trading Systems"
KAUFMAN = "Kaufman (1995), Smarter Trading"
BOLLINGER = "Bollinger (2001), Bollinger on Bollinger Bands"


@feature(unit="price", source="arithmetic mean", warm_up=lambda window: window - 1)
def sma(close: Column, *, window: int = 20) -> Column:
    """Simple moving average:  SMA_t = mean(close_{t-window+1} … close_t). NaN before ``window`` bars.

    >>> sma([1.0, 2.0, 4.0], window=2).tolist()
    [nan, 1.5, 3.0]
    """
    from domain.features.kernels.windows import means

    return means(close, window)


@feature(unit="price", source="TA-Lib EMA", warm_up=lambda window: window - 1, state=5)
def ema(close: Column, *, window: int = 20, state: np.ndarray) -> Column:
    """Exponential moving average:  EMA_t = EMA_{t-1} + (C_t − EMA_{t-1}) · 2 / (window + 1).
    The first value is the plain mean of the first ``window`` closes; before it, NaN.

    >>> ema([1.0, 2.0, 4.5], window=2).tolist()
    [nan, 1.5, 3.5]
    """
    from domain.features.kernels.smoothing import averages

    return averages(close, window, state)


@feature(unit="price", source=KAUFMAN, warm_up=lambda window: window, state=lambda window: window + 6)
def kama(close: Column, *, window: int = 10, fast: int = 2, slow: int = 30, state: np.ndarray) -> Column:
    """Kaufman's adaptive moving average:  K_t = K_{t-1} + s² · (C_t − K_{t-1}), s between 2 / (slow + 1) and 2 / (fast + 1) by the efficiency of the last ``window`` moves.
    Begun from the close before; NaN before ``window`` + 1 bars.

    >>> kama([1.0, 2.0, 3.0], window=2, fast=1, slow=3).tolist()
    [nan, nan, 3.0]
    """
    from domain.features.kernels.kaufman import adapted

    before = int(min(state[0], window))
    closes = np.concatenate([state[6 + window - before :], close]) if before else close
    output = adapted(closes, before, window, fast, slow, state)
    state[6 + window - min(len(closes), window) :] = closes[-window:]
    return output


@feature(unit="price", source="Donchian (1960), the upper band, without the present bar", warm_up=lambda window: window)
def channel_high(high: Column, *, window: int = 20) -> Column:
    """Highest high of the ``window`` bars before this one. NaN before ``window`` + 1 bars.

    >>> channel_high([3.0, 2.0, 5.0, 1.0], window=2).tolist()
    [nan, nan, 3.0, 5.0]
    """
    from domain.features.kernels.extremes import highest

    return _bar_before(highest(high, window))


@feature(unit="price", source="Donchian (1960), the lower band, without the present bar", warm_up=lambda window: window)
def channel_low(low: Column, *, window: int = 20) -> Column:
    """Lowest low of the ``window`` bars before this one. NaN before ``window`` + 1 bars.

    >>> channel_low([3.0, 2.0, 5.0, 1.0], window=2).tolist()
    [nan, nan, 2.0, 2.0]
    """
    from domain.features.kernels.extremes import lowest

    return _bar_before(lowest(low, window))


def _bar_before(column: Column) -> Column:
    output = np.empty(len(column))
    output[:1], output[1:] = np.nan, column[:-1]
    return output


@feature(unit="0 to 1", source="Donchian (1960), the channel with the present bar", low=0.0, high=1.0, warm_up=lambda window: window - 1)
def donchian_position(high: Column, low: Column, close: Column, *, window: int = 20) -> Column:
    """Place of the close in the channel:  (C − lowest low) / (highest high − lowest low) of the last ``window`` bars, this one too.
    NaN before ``window`` bars; 0.5 where these have no range.

    >>> donchian_position([2.0, 4.0], [1.0, 2.0], [1.5, 3.25], window=2).tolist()
    [nan, 0.75]
    """
    from domain.features.kernels.extremes import places

    return places(high, low, close, window, 0.5)


@feature(unit="price", source=BOLLINGER, warm_up=lambda window: window - 1)
def bollinger_upper(close: Column, *, window: int = 20, deviations: float = 2.0) -> Column:
    """Upper Bollinger band:  mean + ``deviations`` · standard deviation of the last ``window`` closes, over ``window`` (not less 1). NaN before ``window`` bars.

    >>> bollinger_upper([1.0, 3.0], window=2).tolist()
    [nan, 4.0]
    """
    mean, deviation = _spread(close, window)
    deviation *= deviations
    mean += deviation
    return mean


@feature(unit="price", source=BOLLINGER, warm_up=lambda window: window - 1)
def bollinger_lower(close: Column, *, window: int = 20, deviations: float = 2.0) -> Column:
    """Lower Bollinger band:  mean − ``deviations`` · standard deviation of the last ``window`` closes, over ``window`` (not less 1). NaN before ``window`` bars.

    >>> bollinger_lower([1.0, 3.0], window=2).tolist()
    [nan, 0.0]
    """
    mean, deviation = _spread(close, window)
    deviation *= deviations
    mean -= deviation
    return mean


@feature(unit="ratio", source=BOLLINGER, warm_up=lambda window: window - 1)
def bollinger_position(close: Column, *, window: int = 20, deviations: float = 2.0) -> Column:
    """Place of the close between the Bollinger bands (%B):  (C − lower) / (upper − lower): 0 at the lower, 1 at the upper, beyond them outside.
    NaN before ``window`` bars; 0.5 where these closes are all equal.

    >>> bollinger_position([1.0, 3.0], window=2).tolist()
    [nan, 0.75]
    """
    from domain.features.kernels.windows import scores

    output = scores(close, window)
    output /= 2.0 * deviations
    output += 0.5
    return output


@feature(unit="deviations", source="standard score", warm_up=lambda window: window - 1)
def zscore(close: Column, *, window: int = 20) -> Column:
    """The close off its mean:  (C − mean) / standard deviation of the last ``window`` closes, over ``window`` (not less 1).
    NaN before ``window`` bars; 0 where these closes are all equal.

    >>> zscore([1.0, 3.0], window=2).tolist()
    [nan, 1.0]
    """
    from domain.features.kernels.windows import scores

    return scores(close, window)


def _spread(close: Column, window: int) -> tuple[Column, Column]:
    """Mean and standard deviation."""
    from domain.features.kernels.windows import moments

    mean, squares = moments(close, window)
    squares /= window
    return mean, np.sqrt(squares, out=squares)


@feature(unit="price per bar", source="least squares", warm_up=lambda window: window - 1)
def slope(close: Column, *, window: int = 14) -> Column:
    """Slope of the least-squares line through the last ``window`` closes. NaN before ``window`` bars and for a window of one; 0 where no price moves.

    >>> slope([1.0, 2.0, 4.0], window=3).tolist()
    [nan, nan, 1.5]
    """
    from domain.features.kernels.windows import slopes

    return slopes(close, window)


@feature(unit="ATR per bar", source="own definition", warm_up=lambda window, against: max(window - 2, against - 1), state=lambda window: 4 + window)
def slope_in_atr(close: Column, true_range: Column, tick: float = 0.0, *, window: int = 14, against: int = 14, state: np.ndarray) -> Column:
    """Slope of the least-squares line through the last ``window`` closes, over the average true range of ``against`` bars: trends of all instruments on one scale.
    NaN before either has a value, and where that range is none.

    >>> slope_in_atr([1.0, 2.0, 4.0], [float("nan"), 1.0, 3.0], window=3, against=2).tolist()
    [nan, nan, 0.75]
    """
    from domain.features.kernels.ratios import over_range
    from domain.features.kernels.wilder import wilder_from
    from domain.features.kernels.windows import slopes

    history = continued(close, state[4:])
    return over_range(slopes(history, window)[len(history) - len(close) :], wilder_from(true_range, against, state[:4]), close, tick)


@feature(unit="ATR", source="own definition", warm_up=lambda window, against: max(window - 2, against - 1), state=9)
def distance(close: Column, true_range: Column, tick: float = 0.0, *, window: int = 20, against: int = 14, state: np.ndarray) -> Column:
    """How far the close lies from its exponential average:  (C − EMA(``window``)) / ATR(``against``). NaN before either has a value, and where the range is none.

    >>> distance([1.0, 2.0, 4.5], [float("nan"), 1.0, 3.0], window=2, against=2).tolist()
    [nan, nan, 0.5]
    """
    from domain.features.kernels.ratios import over_range
    from domain.features.kernels.smoothing import averages
    from domain.features.kernels.wilder import wilder_from

    return over_range(close - averages(close, window, state[:5]), wilder_from(true_range, against, state[5:]), close, tick)


@feature(unit="ratio", source=KAUFMAN, low=0.0, high=1.0, warm_up=lambda window: window)
def efficiency(close: Column, *, window: int = 10) -> Column:
    """Kaufman's efficiency ratio:  |C_t − C_{t-window}| / Σ |C_i − C_{i-1}|: 1 where every move goes one way, near 0 where they cancel.
    NaN before ``window`` + 1 bars; 0 where no price has moved.

    >>> efficiency([1.0, 3.0, 2.0], window=2).round(6).tolist()
    [nan, nan, 0.333333]
    """
    from domain.features.kernels.kaufman import straightness

    return straightness(close, window)


@feature(unit="%", source=WILDER, low=0.0, high=100.0, warm_up=lambda window: window, state=8)
def plus_di(high: Column, low: Column, close: Column, *, window: int = 14, state: np.ndarray) -> Column:
    """Positive directional indicator:  100 · Σ⁺ / ΣTR, the rises of the high that outweigh the falls of the low, over the true ranges, both in Wilder's sums.
    The sums begin with ``window`` − 1 moves, as TA-Lib's do, where Wilder took ``window``. NaN before ``window`` + 1 bars; 0 where no price has moved.

    >>> plus_di([1.0, 2.0, 4.0], [0.0, 1.0, 3.0], [0.5, 1.5, 3.5], window=2).round(6).tolist()
    [nan, nan, 76.923077]
    """
    from domain.features.kernels.wilder import directional

    return directional(high, low, close, window, 1, state)


@feature(unit="%", source=WILDER, low=0.0, high=100.0, warm_up=lambda window: window, state=8)
def minus_di(high: Column, low: Column, close: Column, *, window: int = 14, state: np.ndarray) -> Column:
    """Negative directional indicator:  100 · Σ⁻ / ΣTR, the falls of the low that outweigh the rises of the high; all else as in plus_di.

    >>> minus_di([4.0, 3.0, 1.5], [3.0, 2.0, 0.5], [3.5, 2.5, 1.0], window=2).round(6).tolist()
    [nan, nan, 72.727273]
    """
    from domain.features.kernels.wilder import directional

    return directional(high, low, close, window, -1, state)


@feature(unit="%", source=WILDER, low=0.0, high=100.0, warm_up=lambda window: 2 * window - 1, state=8)
def adx(high: Column, low: Column, close: Column, *, window: int = 14, state: np.ndarray) -> Column:
    """Average directional index:  Wilder's smoothing of  100 · |plus_di − minus_di| / (plus_di + minus_di): how one-sided moves are, whichever the side.
    Begun with the mean of the first ``window`` values; NaN before 2 · ``window`` bars. Where neither side moved the index of a bar is 0.

    >>> adx([1.0, 2.0, 2.0], [0.0, 1.0, 0.0], [0.5, 1.5, 1.0], window=1).tolist()
    [nan, 100.0, 100.0]
    """
    from domain.features.kernels.wilder import directional

    return directional(high, low, close, window, 0, state)
