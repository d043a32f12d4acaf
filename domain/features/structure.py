"""What bars draw: swings and breaks of them, gaps, wicks and bodies."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, feature

WILLIAMS = "fractal of Williams (1995), Trading Chaos, with so many bars on each side"
GAPS = "three-bar gap of price action traders (fair value gap)"


def _swings(bars: int) -> int:
    """Places of what ``kernels.structure.swings`` remembers."""
    return 3 + 2 * bars


@feature(unit="price", source=WILLIAMS, warm_up=lambda bars: 2 * bars, state=_swings)
def swing_high(high: Column, *, bars: int = 3, state: np.ndarray) -> Column:
    """High of the last swing: a bar whose high is above those of the ``bars`` before it and not below those of the ``bars`` after it.
    Known only when those have closed, ``bars`` later; of equal highs the first counts. NaN before the first.

    >>> swing_high([1.0, 3.0, 2.0, 1.0], bars=1).tolist()
    [nan, nan, 3.0, 3.0]
    """
    from domain.features.kernels.structure import swings

    return swings(high, bars, state)[0]


@feature(unit="price", source=WILLIAMS, warm_up=lambda bars: 2 * bars, state=_swings)
def swing_low(low: Column, *, bars: int = 3, state: np.ndarray) -> Column:
    """Low of the last swing: a bar whose low is below those of the ``bars`` before it and not above those of the ``bars`` after it.
    Known only when those have closed, ``bars`` later; of equal lows the first counts. NaN before the first.

    >>> swing_low([3.0, 1.0, 2.0, 3.0], bars=1).tolist()
    [nan, nan, 1.0, 1.0]
    """
    from domain.features.kernels.structure import swings

    return -swings(-low, bars, state)[0]


@feature(unit="bars", source=WILLIAMS, low=1.0, warm_up=lambda bars: 2 * bars, state=_swings)
def bars_since_swing_high(high: Column, *, bars: int = 3, state: np.ndarray) -> Column:
    """Bars since the bar of the last swing high, ``bars`` at least: it is known only so much later. NaN before the first.

    >>> bars_since_swing_high([1.0, 3.0, 2.0, 1.0], bars=1).tolist()
    [nan, nan, 1.0, 2.0]
    """
    from domain.features.kernels.structure import swings

    return swings(high, bars, state)[1]


@feature(unit="bars", source=WILLIAMS, low=1.0, warm_up=lambda bars: 2 * bars, state=_swings)
def bars_since_swing_low(low: Column, *, bars: int = 3, state: np.ndarray) -> Column:
    """Bars since the bar of the last swing low, ``bars`` at least: it is known only so much later. NaN before the first.

    >>> bars_since_swing_low([3.0, 1.0, 2.0, 3.0], bars=1).tolist()
    [nan, nan, 1.0, 2.0]
    """
    from domain.features.kernels.structure import swings

    return swings(-low, bars, state)[1]


@feature(unit="ATR", source=WILLIAMS)
def distance_to_swing_high(close: Column, swing_high: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the last swing high:  (C − swing high) / ATR(14), below it negative. NaN where either is.

    >>> distance_to_swing_high([1.0], [2.0], [0.5]).tolist()
    [-2.0]
    """
    from domain.features.kernels.ratios import over_range

    return over_range(close - swing_high, atr, close, tick)


@feature(unit="ATR", source=WILLIAMS)
def distance_to_swing_low(close: Column, swing_low: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the last swing low:  (C − swing low) / ATR(14), below it negative. NaN where either is.

    >>> distance_to_swing_low([3.0], [2.0], [0.5]).tolist()
    [2.0]
    """
    from domain.features.kernels.ratios import over_range

    return over_range(close - swing_low, atr, close, tick)


@feature(
    unit="1, 0 or -1", source="break of structure of price action traders, on swings of so many bars on each side", low=-1.0, high=1.0,
    warm_up=lambda bars: 2 * bars, state=lambda bars: 3 + 2 * _swings(bars),
)  # fmt: skip
def break_of_structure(high: Column, low: Column, close: Column, *, bars: int = 3, state: np.ndarray) -> Column:
    """1 at the bar that first closes above the last swing high, −1 at the one that first closes below the last swing low, else 0.
    A swing breaks once, from the bar that confirms it on; one that a later swing has replaced breaks no more. NaN until there are both.

    >>> break_of_structure([2.0, 3.0, 2.0, 2.0, 4.0, 5.0], [1.0, 2.0, 1.0, 1.5, 2.0, 3.0], [1.5, 2.5, 1.5, 1.5, 3.5, 4.5], bars=1).tolist()
    [nan, nan, nan, 0.0, 1.0, 0.0]
    """
    from domain.features.kernels.structure import breaks, swings

    middle = 3 + _swings(bars)
    upper, since_upper = swings(high, bars, state[3:middle])
    lower, since_lower = swings(-low, bars, state[middle:])
    return breaks(close, upper, since_upper, -lower, since_lower, bars, state[:3])


@feature(unit="ATR", source=GAPS, state=lambda window: 7 + 4 * window)
def fair_value_gap(high: Column, low: Column, atr: Column, tick: float = 0.0, *, window: int = 100, state: np.ndarray) -> Column:
    """Size of the latest three-bar gap that is not yet filled, over ATR(14): above 0 where price gapped up, below 0 where it gapped down, 0 without one.
    A gap up lies between H_{t-2} and a higher L_t and is filled when a later low reaches H_{t-2}; a gap down the other way round. Partly filled,
    it keeps its size. Gaps of the last ``window`` bars count. NaN before the ATR, which needs more than three bars, and where that is none.

    >>> fair_value_gap([1.0, 2.0, 3.0, 2.5], [0.0, 1.0, 2.0, 1.0], [np.nan, np.nan, 0.5, 0.5]).tolist()
    [nan, nan, 2.0, 0.0]
    """
    from domain.features.kernels.ratios import over_range
    from domain.features.kernels.structure import gaps

    return over_range(gaps(high, low, window, state)[0], atr, high, tick)


@feature(unit="ATR", source=GAPS, state=lambda window: 7 + 4 * window)
def distance_to_fair_value_gap(high: Column, low: Column, close: Column, atr: Column, tick: float = 0.0, *, window: int = 100, state: np.ndarray) -> Column:
    """How far the close lies above the middle of the latest gap that is not yet filled (see fair_value_gap):  (C − middle) / ATR(14).
    NaN where there is none.

    >>> distance_to_fair_value_gap([1.0, 2.0, 3.0], [0.0, 1.0, 2.0], [1.0, 2.0, 2.5], [1.0, 1.0, 1.0]).tolist()
    [nan, nan, 1.0]
    """
    from domain.features.kernels.ratios import over_range
    from domain.features.kernels.structure import gaps

    return over_range(close - gaps(high, low, window, state)[1], atr, close, tick)


@feature(unit="share", source="own definition", low=0.0, high=1.0)
def upper_wick(open: Column, high: Column, low: Column, close: Column) -> Column:
    """Share of the bar's range above its body:  (H − max(O, C)) / (H − L); 0 where there is no range.

    >>> upper_wick([1.0], [5.0], [0.0], [3.0]).tolist()
    [0.4]
    """
    return _share(high - np.maximum(open, close), high - low, close)


@feature(unit="share", source="own definition", low=0.0, high=1.0)
def lower_wick(open: Column, high: Column, low: Column, close: Column) -> Column:
    """Share of the bar's range below its body:  (min(O, C) − L) / (H − L); 0 where there is no range.

    >>> lower_wick([1.0], [5.0], [0.0], [3.0]).tolist()
    [0.2]
    """
    return _share(np.minimum(open, close) - low, high - low, close)


@feature(unit="share", source="own definition", low=-1.0, high=1.0)
def body(open: Column, high: Column, low: Column, close: Column) -> Column:
    """Share of the bar's range that it went, with its sign:  (C − O) / (H − L); 0 where there is no range.

    >>> body([1.0], [5.0], [0.0], [3.0]).tolist()
    [0.4]
    """
    return _share(close - open, high - low, close)


def _share(part: Column, ranges: Column, price: Column) -> Column:
    from domain.features.kernels.ratios import shares_of_range

    return shares_of_range(part, ranges, price)
