"""Bars as the execution page sees them: a bid and an ask on the grid, a start and an end (section 1), and Wilder's ATR (section 8)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe


def on_grid(price: float) -> float:
    """Section 1: put on a grid of 1e-9 once, ``rint(x·1e9)/1e9``; ``round`` is Python's rint, halves to even."""
    return round(price * 1e9) / 1e9


def reaches_up(price: float, level: float, side: int) -> bool:
    """At or beyond ``level`` in the favour of ``side``: above for a long, below for a short. Touching is reaching."""
    return price >= level if side > 0 else price <= level


def reaches_down(price: float, level: float, side: int) -> bool:
    """At or beyond ``level`` against ``side``: below for a long, above for a short."""
    return reaches_up(price, level, -side)


@dataclass(slots=True)
class Quote:
    """One side of the market through a bar."""

    open: float
    high: float
    low: float
    close: float

    def favourable(self, side: int) -> float:
        return self.high if side > 0 else self.low

    def adverse(self, side: int) -> float:
        return self.low if side > 0 else self.high


@dataclass(slots=True)
class Bar:
    """One bar of a series: ``high``, ``low`` and ``close`` as the source quotes them, bid and ask on the grid."""

    number: int
    ts: int
    end: int
    high: float
    low: float
    close: float
    spread: float
    bid: Quote
    ask: Quote
    finer: list[Bar] = field(default_factory=list)

    def opening(self, side: int) -> Quote:
        """A long opens at the ask, a short at the bid."""
        return self.ask if side > 0 else self.bid

    def closing(self, side: int) -> Quote:
        """A long closes at the bid, a short at the ask."""
        return self.bid if side > 0 else self.ask

    def mid_close(self) -> float:
        return (self.bid.close + self.ask.close) / 2


def read_bars(frame: pd.DataFrame, timeframe: Timeframe, side: str, instrument: Instrument, default: float) -> list[Bar]:
    """The bars of one series, each with its own spread, else ``default``."""
    times = pd.DatetimeIndex(frame["ts"]).as_unit("ns").asi8.tolist()
    ends = bar_ends(times, timeframe, instrument.calendar)
    opens, highs, lows, closes = (frame[name].tolist() for name in ("open", "high", "low", "close"))
    spreads = frame["spread"].tolist() if "spread" in frame else [math.nan] * len(times)
    bars = []
    for number, ts in enumerate(times):
        spread = default if spreads[number] is None or math.isnan(spreads[number]) else spreads[number]
        prices = (opens[number], highs[number], lows[number], closes[number])
        bid, ask = quotes(prices, spread, side)
        bars.append(Bar(number, ts, ends[number], highs[number], lows[number], closes[number], spread, bid, ask))
    return bars


def quotes(prices: tuple[float, ...], spread: float, side: str) -> tuple[Quote, Quote]:
    """Section 1. ``bid``: bid = p, ask = p + spread. ``mid``: bid = p − spread/2, ask = p + spread/2."""
    below, above = (0.0, spread) if side == "bid" else (spread / 2, spread / 2)
    return Quote(*(on_grid(p - below) for p in prices)), Quote(*(on_grid(p + above) for p in prices))


def bar_ends(times: list[int], timeframe: Timeframe, calendar_name: str) -> list[int]:
    """Section 1: known at ``ts + timeframe``; for D1 at the close of its session; never later than the next bar's ``ts``."""
    if timeframe.ends_with_session:
        from domain.market.calendar import bar_ends as session_ends

        ends = session_ends(np.array(times, np.int64), timeframe, calendar_name).tolist()
    else:
        ends = [ts + timeframe.nanoseconds for ts in times]
    following = [*times[1:], math.inf]
    return [min(end, after) for end, after in zip(ends, following, strict=True)]


def attach_finer(bars: list[Bar], finer: list[Bar]) -> None:
    """Section 3: each bar gets the finer bars with ``ts`` in [bar ``ts``, bar end)."""
    waiting = iter(finer)
    small = next(waiting, None)
    for bar in bars:
        while small is not None and small.ts < bar.end:
            if small.ts >= bar.ts:
                bar.finer.append(small)
            small = next(waiting, None)


def true_range(before: Bar, bar: Bar) -> float:
    return max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close))


def wilder_atr(bars: list[Bar], window: int) -> list[float]:
    """Section 8: the true range of the first bar is undefined; the first value is at bar ``window``, the mean of as many true ranges.

    >>> flat = [Bar(i, i, i + 1, 1.5, 1.0, 1.25, 0.0, None, None) for i in range(4)]
    >>> wilder_atr(flat, 2)
    [nan, nan, 0.5, 0.5]
    """
    values = [math.nan] * len(bars)
    ranges: list[float] = []
    for before, bar in pairwise(bars):
        ranges.append(true_range(before, bar))
        if len(ranges) == window:
            values[bar.number] = sum(ranges) / window
        elif len(ranges) > window:
            values[bar.number] = values[before.number] + (ranges[-1] - values[before.number]) / window
    return values
