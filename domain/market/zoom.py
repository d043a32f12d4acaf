"""Candles of any stretch of a long series: how many bars each holds, their exact prices, and what fell into each.

Candles begin at multiples of their size, counted from the first bar, so that moving the view never redraws a candle with
other bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Columns = Mapping[str, np.ndarray]


def size_for(bars: int, budget: int) -> int:
    """Bars a candle: the lowest power of two with which ``bars`` make at most ``budget`` candles.

    >>> size_for(500, 500), size_for(501, 500), size_for(1_300_000, 500), size_for(0, 500)
    (1, 2, 4096, 1)
    """
    size = 1
    while -(-bars // size) > budget:
        size *= 2
    return size


@dataclass(frozen=True)
class Window:
    """Rows ``first`` to ``last`` (exclusive) of a series in candles of ``size`` bars."""

    first: int
    last: int
    size: int

    @property
    def starts(self) -> np.ndarray:
        """The first row of each candle."""
        return np.arange(self.first, self.last, self.size)

    @property
    def ends(self) -> np.ndarray:
        """The last row of each candle."""
        return np.minimum(self.starts + self.size, self.last) - 1

    def candle_of(self, rows: np.ndarray) -> np.ndarray:
        """The candle into which each row falls, counted from 0; outside the window it is below 0 or past the last."""
        return (np.asarray(rows, np.int64) - self.first) // self.size


def window(first: float, last: float, rows: int, budget: int, margin: float = 1.0) -> Window:
    """The window to load for a view from row ``first`` to ``last``: at most ``budget`` candles in the view, and beside it
    ``margin`` times as many on each side, all of them of their full size but the last of the series.

    >>> window(100, 200, 1_000, 50)
    Window(first=0, last=300, size=2)
    >>> window(-50, 5_000, 1_000, 50)
    Window(first=0, last=1000, size=32)
    """
    first, last = max(0.0, min(first, rows - 1.0)), max(1.0, min(last, float(rows)))
    seen = max(last - first, 1.0)
    size = size_for(int(np.ceil(seen)), budget)
    start = int(max(first - margin * seen, 0.0)) // size * size
    end = -(-int(np.ceil(min(last + margin * seen, rows))) // size) * size
    return Window(start, min(end, rows), size)


def candles_of(bars: Columns, view: Window) -> dict[str, np.ndarray]:
    """``row`` (the first bar of each), ``ts``, ``open``, ``high``, ``low``, ``close``, ``volume`` (its sum, where there is
    one) and ``bars`` (how many each holds).

    >>> bars = dict(ts=np.arange(3), open=np.array([1.0, 2, 3]), high=np.array([2.0, 5, 4]), low=np.array([0.5, -1, 2]), close=np.array([2.0, 3, 2.5]))
    >>> shown = candles_of(bars, Window(0, 3, 2))
    >>> [shown[name].tolist() for name in ("open", "high", "low", "close", "bars")]
    [[1.0, 3.0], [5.0, 4.0], [-1.0, 2.0], [3.0, 2.5], [2, 1]]
    """
    starts, ends, part = view.starts, view.ends, slice(view.first, view.last)
    inside = starts - view.first
    shown = dict(
        row=starts,
        ts=bars["ts"][starts],
        open=bars["open"][starts],
        high=np.maximum.reduceat(bars["high"][part], inside),
        low=np.minimum.reduceat(bars["low"][part], inside),
        close=bars["close"][ends],
        bars=ends - starts + 1,
    )
    if "volume" in bars:
        shown["volume"] = np.add.reduceat(bars["volume"][part], inside)
    return shown


def last_values(column: np.ndarray, view: Window) -> np.ndarray:
    """The value of a column at the last bar of each candle: what was known when the candle closed."""
    return column[view.ends]


def mean_values(column: np.ndarray, view: Window) -> np.ndarray:
    """The mean of a column over the bars of each candle; bars without a value do not count.

    >>> mean_values(np.array([1.0, 3.0, np.nan, 5.0, np.nan]), Window(0, 5, 2)).tolist()
    [2.0, 5.0, nan]
    """
    part, inside = column[view.first : view.last], view.starts - view.first
    known = np.isfinite(part)
    number = np.add.reduceat(known.astype(np.int64), inside)
    total = np.add.reduceat(np.where(known, part, 0.0), inside)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def counts(rows: np.ndarray, view: Window) -> np.ndarray:
    """How many of the rows fall into each candle.

    >>> counts(np.array([0, 1, 1, 4, 9]), Window(0, 6, 2)).tolist()
    [3, 0, 1]
    """
    candle = view.candle_of(rows)
    number = len(view.starts)
    return np.bincount(candle[(candle >= 0) & (candle < number)], minlength=number)
