"""When a bar is: by the clock, in which session, and how far from scheduled releases. The time of a bar is its open; releases are counted from its end."""

from __future__ import annotations

from functools import cache

import numpy as np

from domain.features.base import Column, feature
from domain.features.sessions import minutes_of, spans
from domain.market.calendar import bar_ends
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe

WEEK = 7 * 1440                 # minutes
MINUTE = 60_000_000_000         # nanoseconds
CIRCLE = "-1 to 1"


@feature(unit=CIRCLE, source="cyclical encoding", low=-1.0, high=1.0)
def minute_of_day_sine(ts: np.ndarray, *, zone: str = "UTC") -> Column:
    """Sine of the time of day at which the bar opens, on the clock of ``zone``:  sin(2π · minute / 1440). With its cosine 23:59 lies beside 00:00.

    >>> minute_of_day_sine(np.array(["2024-07-10T06:00"], "datetime64[ns]").view(np.int64)).tolist()
    [1.0]
    """
    return _circles()[0][minutes_of(ts, zone) % WEEK]


@feature(unit=CIRCLE, source="cyclical encoding", low=-1.0, high=1.0)
def minute_of_day_cosine(ts: np.ndarray, *, zone: str = "UTC") -> Column:
    """Cosine of the time of day at which the bar opens, on the clock of ``zone``:  cos(2π · minute / 1440).

    >>> minute_of_day_cosine(np.array(["2024-07-10T12:00"], "datetime64[ns]").view(np.int64)).tolist()
    [-1.0]
    """
    return _circles()[1][minutes_of(ts, zone) % WEEK]


@feature(unit=CIRCLE, source="cyclical encoding", low=-1.0, high=1.0)
def day_of_week_sine(ts: np.ndarray, *, zone: str = "UTC") -> Column:
    """Sine of the weekday on which the bar opens, on the clock of ``zone``:  sin(2π · day / 7), Monday 0.

    >>> day_of_week_sine(np.array(["2024-07-08T12:00"], "datetime64[ns]").view(np.int64)).tolist()
    [0.0]
    """
    return _circles()[2][minutes_of(ts, zone) % WEEK]


@feature(unit=CIRCLE, source="cyclical encoding", low=-1.0, high=1.0)
def day_of_week_cosine(ts: np.ndarray, *, zone: str = "UTC") -> Column:
    """Cosine of the weekday on which the bar opens, on the clock of ``zone``:  cos(2π · day / 7), Monday 0.

    >>> day_of_week_cosine(np.array(["2024-07-08T12:00"], "datetime64[ns]").view(np.int64)).tolist()
    [1.0]
    """
    return _circles()[3][minutes_of(ts, zone) % WEEK]


@feature(unit="1 or 0", source="hours of the session in domain/features/sessions.toml", low=0.0, high=1.0)
def in_session(ts: np.ndarray, *, session: str = "london") -> Column:
    """1 where the bar opens in the hours of ``session``: asia, india, london, new_york or another of the table, else 0.
    Hours are local, so they move with summer time; Monday to Friday, holidays not left out.

    >>> in_session(np.array(["2024-01-10T07:30", "2024-07-10T07:30"], "datetime64[ns]").view(np.int64), session="london").tolist()
    [0.0, 1.0]
    """
    from domain.features.kernels.sessions import passed

    hours = spans(session)
    return (passed(ts, hours.opens) > passed(ts, hours.closes)).astype(np.float64)


@feature(unit="bars", source="hours of the session in domain/features/sessions.toml", low=0.0, state=2)
def bars_since_session_open(ts: np.ndarray, *, session: str = "london", state: np.ndarray) -> Column:
    """Bars since the first one that opened at or after the last open of ``session``, past its close too: 0 at that bar.
    NaN before an open is seen.

    >>> bars_since_session_open(np.array(["2024-07-10T06:30", "2024-07-10T07:30", "2024-07-10T08:00"], "datetime64[ns]").view(np.int64)).tolist()
    [nan, 0.0, 1.0]
    """
    from domain.features.kernels.sessions import bars_since

    return bars_since(ts, spans(session).opens, state)


@feature(unit="minutes", source="own definition", low=0.0)
def minutes_to_release(ts: np.ndarray, releases: np.ndarray, instrument: Instrument | None, timeframe: Timeframe | None) -> Column:
    """Minutes from the bar's end to the next scheduled release, 0 for one at that instant. Its time is known long before, its content is not.
    NaN after the last release, without any, and where the bars' timeframe is not known.

    >>> eight, nine = np.array(["2024-07-10T08:00", "2024-07-10T09:00"], "datetime64[ns]").view(np.int64)
    >>> minutes_to_release(np.array([eight]), np.array([nine]), None, Timeframe.named("M15")).tolist()
    [45.0]
    """
    from domain.features.kernels.sessions import passed

    if timeframe is None or not len(releases):
        return np.full(len(ts), np.nan)
    ends = bar_ends(ts, timeframe, instrument.calendar if instrument else None)
    row = passed(ends - 1, releases)
    return np.where(row < len(releases), (releases[np.minimum(row, len(releases) - 1)] - ends) / MINUTE, np.nan)


@feature(unit="minutes", source="own definition", low=0.0)
def minutes_since_release(ts: np.ndarray, releases: np.ndarray, instrument: Instrument | None, timeframe: Timeframe | None) -> Column:
    """Minutes from the last scheduled release to the bar's end, 0 for one at that instant.
    NaN before the first release, without any, and where the bars' timeframe is not known.

    >>> eight, nine = np.array(["2024-07-10T08:00", "2024-07-10T09:00"], "datetime64[ns]").view(np.int64)
    >>> minutes_since_release(np.array([nine]), np.array([eight]), None, Timeframe.named("M15")).tolist()
    [75.0]
    """
    from domain.features.kernels.sessions import passed

    if timeframe is None or not len(releases):
        return np.full(len(ts), np.nan)
    ends = bar_ends(ts, timeframe, instrument.calendar if instrument else None)
    row = passed(ends, releases) - 1
    return np.where(row >= 0, (ends - releases[np.maximum(row, 0)]) / MINUTE, np.nan)


@cache
def _circles() -> tuple[np.ndarray, ...]:
    """Sine and cosine of the time of day, then of the weekday, at every minute of a week from Monday."""
    minute = np.arange(WEEK)
    day, week = 2 * np.pi * (minute % 1440) / 1440, 2 * np.pi * (minute // 1440) / 7
    return np.sin(day), np.cos(day), np.sin(week), np.cos(week)
