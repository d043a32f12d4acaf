"""Bars into longer bars, and which longer bar is known at the end of a shorter one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import COLUMNS, frame, ts_of
from domain.market.calendar import calendar, ends_of
from domain.market.sessions import Calendar
from domain.market.timeframe import TIMEFRAMES, Timeframe
from domain.market.zones import HOUR


def resample(bars: pd.DataFrame, source: Timeframe, target: Timeframe, calendar_name: str, partial: bool = False) -> pd.DataFrame:
    """Open first, high max, low min, close last, volume summed, spread averaged, over each longer bar that has at least one shorter one.

    M5 to H1 begin on whole multiples of UTC, H4 and D1 with the trading day of the calendar (an FX day, 17:00 New York, has six H4 bars).
    Only whole information: a last longer bar that ends after the last shorter one is left out, unless ``partial``; one whose first minutes
    are missing stays, as its bars are all there are.

    >>> ts = np.datetime64("2024-07-10T10:00", "ns").astype(np.int64) + np.arange(7) * HOUR // 12
    >>> p = np.arange(7.0)
    >>> m5 = frame(ts, open=p, high=p + 1, low=p - 1, close=p)
    >>> resample(m5, Timeframe.named("M5"), Timeframe.named("M15"), "fx")[["open", "high", "low", "close"]].values.tolist()
    [[0.0, 3.0, -1.0, 2.0], [3.0, 6.0, 2.0, 5.0]]
    >>> resample(m5, Timeframe.named("M15"), Timeframe.named("M5"), "fx")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: M15 bars cannot become M5: what happened inside them is not known; choose M30, H1, H4 or D1
    """
    _refuse_finer(source, target)
    if source == target or not len(bars):
        return bars.copy()
    ts, market = ts_of(bars), calendar(calendar_name)
    opens = bucket_opens(ts, target, market)
    starts = np.flatnonzero(np.r_[True, opens[1:] != opens[:-1]])
    longer = frame(opens[starts], **gathered({name: bars[name].to_numpy() for name in COLUMNS[1:] if name in bars}, starts))
    if partial:
        return longer
    end = ends_of(bars.iloc[-1:], source, calendar_name)[-1]
    return longer if nominal_end(opens[-1], target, market) <= end else longer.iloc[:-1].reset_index(drop=True)


def bucket_opens(ts_ns: np.ndarray, target: Timeframe, market: Calendar) -> np.ndarray:
    """The open of the longer bar that each time falls into; for H4 and D1 a time between two trading days belongs to the first bar of the next,
    so that no bar holds anything from after its end."""
    step = target.nanoseconds
    if step <= HOUR:
        return ts_ns // step * step     # numpy divides by one number much faster than it takes a remainder
    days = market.day_of(ts_ns)
    day_opens = market.day_table.opens[days]
    return day_opens if target.ends_with_session else day_opens + np.maximum(ts_ns - day_opens, 0) // step * step


def join_closed(low_ends: np.ndarray, high_ends: np.ndarray) -> np.ndarray:
    """For each shorter bar the row of the last longer bar that has closed by its end, -1 where none has. Both ends in order.

    >>> join_closed(np.array([5, 10, 15]), np.array([10, 20])).tolist()
    [-1, 0, 0]
    """
    first = np.searchsorted(low_ends, high_ends)
    return np.repeat(np.arange(-1, len(high_ends)), np.diff(np.concatenate(([0], first, [len(low_ends)]))))


def nominal_end(open_ns: int, target: Timeframe, market: Calendar) -> int:
    """When the longer bar is over: after its length, or with its trading day if that is sooner."""
    if target.nanoseconds <= HOUR:
        return int(open_ns) + target.nanoseconds
    day_close = int(market.day_table.closes[market.day_of(np.array([open_ns]))][0])
    return day_close if target.ends_with_session else min(int(open_ns) + target.nanoseconds, day_close)


def gathered(columns: Mapping[str, np.ndarray], starts: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of the longer bars, each of which begins in one of the rows ``starts``."""
    last = np.concatenate((starts[1:], (len(columns["close"]),))) - 1
    longer = {"open": columns["open"][starts], "high": np.maximum.reduceat(columns["high"], starts), "low": np.minimum.reduceat(columns["low"], starts), "close": columns["close"][last]}
    if "volume" in columns:
        longer["volume"] = _sum_known(columns["volume"], starts)[0]
    if "spread" in columns:
        total, counts = _sum_known(columns["spread"], starts)
        longer["spread"] = np.divide(total, counts, out=np.full(len(starts), np.nan), where=counts > 0)
    return longer


def _sum_known(values: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums without the unknown ones, NaN where all are, and how many are known."""
    known = ~np.isnan(values)
    counts = np.add.reduceat(known, starts, dtype=np.int64)
    return np.where(counts > 0, np.add.reduceat(np.where(known, values, 0.0), starts), np.nan), counts


def _refuse_finer(source: Timeframe, target: Timeframe) -> None:
    if target < source:
        longer = [str(timeframe) for timeframe in TIMEFRAMES if timeframe > source]
        choice = f"choose {', '.join(longer[:-1])}{' or ' if longer[:-1] else ''}{longer[-1]}" if longer else "there is no longer one"
        raise BadRequest(f"{source} bars cannot become {target}: what happened inside them is not known; {choice}")
