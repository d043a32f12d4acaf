"""Widely watched price levels: opens, highs and lows of days, weeks and sessions, round numbers, and how far away they are.

Days are the instrument's trading days (17:00 New York in FX), weeks those of their dates from Monday; both are of UTC where no instrument is known.
The first day, week or session of the bars counts from its first bar. Distances are of the close from the level, in ATR(14): above it positive, and NaN where the ATR is none (under a hundredth of the tick).
"""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, feature
from domain.features.sessions import days_of, spans
from domain.market.instrument import Instrument

CALENDAR = "own definition, by the session calendar of the instrument"
HOURS = "own definition, by the hours in domain/features/sessions.toml"
PLACES = 8


@feature(unit="price", source=CALENDAR, state=PLACES)
def day_open(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, *, state: np.ndarray) -> Column:
    """Open of the trading day, 17:00 New York in FX: that of its first bar.

    >>> day_open([1.0, 2.0], [3.0, 3.0], [1.0, 1.0], [2.0, 2.0], [0, 1], None).tolist()
    [1.0, 1.0]
    """
    return _day("OPEN", open, high, low, close, ts, instrument, state)


@feature(unit="price", source=CALENDAR, state=PLACES)
def day_high(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, *, state: np.ndarray) -> Column:
    """Highest high of the trading day so far, with this bar.

    >>> day_high([1.0, 2.0], [3.0, 2.0], [1.0, 1.0], [2.0, 2.0], [0, 1], None).tolist()
    [3.0, 3.0]
    """
    return _day("HIGH", open, high, low, close, ts, instrument, state)


@feature(unit="price", source=CALENDAR, state=PLACES)
def day_low(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, *, state: np.ndarray) -> Column:
    """Lowest low of the trading day so far, with this bar.

    >>> day_low([1.0, 2.0], [3.0, 2.0], [1.0, 0.5], [2.0, 2.0], [0, 1], None).tolist()
    [1.0, 0.5]
    """
    return _day("LOW", open, high, low, close, ts, instrument, state)


@feature(unit="price", source=CALENDAR, warm_up=1, state=PLACES)
def previous_day_high(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, *, state: np.ndarray) -> Column:
    """Highest high of the trading day before this one; NaN in the first.

    >>> two_days = np.array(["2024-07-10", "2024-07-11"], "datetime64[ns]").view(np.int64)
    >>> previous_day_high([1.0, 2.0], [3.0, 4.0], [1.0, 1.0], [2.0, 3.0], two_days, None).tolist()
    [nan, 3.0]
    """
    return _day("HIGH_BEFORE", open, high, low, close, ts, instrument, state)


@feature(unit="price", source=CALENDAR, warm_up=1, state=PLACES)
def previous_day_low(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, *, state: np.ndarray) -> Column:
    """Lowest low of the trading day before this one; NaN in the first.

    >>> two_days = np.array(["2024-07-10", "2024-07-11"], "datetime64[ns]").view(np.int64)
    >>> previous_day_low([1.0, 2.0], [3.0, 4.0], [0.5, 1.0], [2.0, 3.0], two_days, None).tolist()
    [nan, 0.5]
    """
    return _day("LOW_BEFORE", open, high, low, close, ts, instrument, state)


@feature(unit="price", source=CALENDAR, warm_up=1, state=PLACES)
def previous_day_close(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, *, state: np.ndarray) -> Column:
    """Last close of the trading day before this one; NaN in the first.

    >>> two_days = np.array(["2024-07-10", "2024-07-11"], "datetime64[ns]").view(np.int64)
    >>> previous_day_close([1.0, 2.0], [3.0, 4.0], [1.0, 1.0], [2.0, 3.0], two_days, None).tolist()
    [nan, 2.0]
    """
    return _day("CLOSE_BEFORE", open, high, low, close, ts, instrument, state)


@feature(unit="price", source=CALENDAR, warm_up=1, state=PLACES)
def previous_week_high(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, *, state: np.ndarray) -> Column:
    """Highest high of the week before this one, a week being its trading days from Monday; NaN in the first.

    >>> friday_and_monday = np.array(["2024-07-12", "2024-07-15"], "datetime64[ns]").view(np.int64)
    >>> previous_week_high([1.0, 2.0], [3.0, 4.0], [1.0, 1.0], [2.0, 3.0], friday_and_monday, None).tolist()
    [nan, 3.0]
    """
    return _week("HIGH_BEFORE", open, high, low, close, ts, instrument, state)


@feature(unit="price", source=CALENDAR, warm_up=1, state=PLACES)
def previous_week_low(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, *, state: np.ndarray) -> Column:
    """Lowest low of the week before this one, a week being its trading days from Monday; NaN in the first.

    >>> friday_and_monday = np.array(["2024-07-12", "2024-07-15"], "datetime64[ns]").view(np.int64)
    >>> previous_week_low([1.0, 2.0], [3.0, 4.0], [0.5, 1.0], [2.0, 3.0], friday_and_monday, None).tolist()
    [nan, 0.5]
    """
    return _week("LOW_BEFORE", open, high, low, close, ts, instrument, state)


@feature(unit="ATR", source=CALENDAR)
def distance_to_day_open(close: Column, day_open: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the trading day's open:  (C − open of the day) / ATR(14). NaN where either is.

    >>> distance_to_day_open([3.0], [2.0], [0.5]).tolist()
    [2.0]
    """
    return _distance(close, day_open, atr, tick)


@feature(unit="ATR", source=CALENDAR, high=0.0)
def distance_to_day_high(close: Column, day_high: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies below the trading day's high so far:  (C − high of the day) / ATR(14), at most 0. NaN where either is.

    >>> distance_to_day_high([3.0], [4.0], [0.5]).tolist()
    [-2.0]
    """
    return _distance(close, day_high, atr, tick)


@feature(unit="ATR", source=CALENDAR, low=0.0)
def distance_to_day_low(close: Column, day_low: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the trading day's low so far:  (C − low of the day) / ATR(14), at least 0. NaN where either is.

    >>> distance_to_day_low([3.0], [2.0], [0.5]).tolist()
    [2.0]
    """
    return _distance(close, day_low, atr, tick)


@feature(unit="ATR", source=CALENDAR)
def distance_to_previous_day_high(close: Column, previous_day_high: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the high of the trading day before:  (C − its high) / ATR(14). NaN where either is.

    >>> distance_to_previous_day_high([3.0], [2.0], [0.5]).tolist()
    [2.0]
    """
    return _distance(close, previous_day_high, atr, tick)


@feature(unit="ATR", source=CALENDAR)
def distance_to_previous_day_low(close: Column, previous_day_low: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the low of the trading day before:  (C − its low) / ATR(14). NaN where either is.

    >>> distance_to_previous_day_low([3.0], [2.0], [0.5]).tolist()
    [2.0]
    """
    return _distance(close, previous_day_low, atr, tick)


@feature(unit="ATR", source=CALENDAR)
def distance_to_previous_day_close(close: Column, previous_day_close: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the last close of the trading day before:  (C − that close) / ATR(14). NaN where either is.

    >>> distance_to_previous_day_close([3.0], [2.0], [0.5]).tolist()
    [2.0]
    """
    return _distance(close, previous_day_close, atr, tick)


@feature(unit="ATR", source=CALENDAR)
def distance_to_previous_week_high(close: Column, previous_week_high: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the high of the week before:  (C − its high) / ATR(14). NaN where either is.

    >>> distance_to_previous_week_high([3.0], [2.0], [0.5]).tolist()
    [2.0]
    """
    return _distance(close, previous_week_high, atr, tick)


@feature(unit="ATR", source=CALENDAR)
def distance_to_previous_week_low(close: Column, previous_week_low: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the low of the week before:  (C − its low) / ATR(14). NaN where either is.

    >>> distance_to_previous_week_low([3.0], [2.0], [0.5]).tolist()
    [2.0]
    """
    return _distance(close, previous_week_low, atr, tick)


@feature(unit="price", source=HOURS, warm_up=1, state=PLACES)
def session_open(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, *, session: str = "london", state: np.ndarray) -> Column:
    """Open of ``session``, the latest one that began before this bar: that of its first bar. The bar at which it opens has that of the session before.
    After its close the level stays until it opens again. NaN before the first.

    >>> three_hours = np.array(["2024-07-10T09:00", "2024-07-10T10:00", "2024-07-11T08:00"], "datetime64[ns]").view(np.int64)
    >>> session_open([1.0, 2.0, 5.0], [3.0, 4.0, 6.0], [1.0, 1.0, 5.0], [2.0, 3.0, 5.0], three_hours).tolist()
    [nan, 1.0, 1.0]
    """
    return _before("OPEN", session, open, high, low, close, ts, state)


@feature(unit="price", source=HOURS, warm_up=1, state=PLACES)
def session_high(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, *, session: str = "london", state: np.ndarray) -> Column:
    """Highest high of ``session``, the latest one that began before this bar, as it was before this bar: what a bar has to break.
    After its close the level stays until it opens again. NaN before the first.

    >>> three_hours = np.array(["2024-07-10T09:00", "2024-07-10T10:00", "2024-07-10T11:00"], "datetime64[ns]").view(np.int64)
    >>> session_high([1.0, 2.0, 5.0], [3.0, 4.0, 6.0], [1.0, 1.0, 5.0], [2.0, 3.0, 5.0], three_hours).tolist()
    [nan, 3.0, 4.0]
    """
    return _before("HIGH", session, open, high, low, close, ts, state)


@feature(unit="price", source=HOURS, warm_up=1, state=PLACES)
def session_low(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, *, session: str = "london", state: np.ndarray) -> Column:
    """Lowest low of ``session``, the latest one that began before this bar, as it was before this bar: what a bar has to break.
    After its close the level stays until it opens again. NaN before the first.

    >>> three_hours = np.array(["2024-07-10T09:00", "2024-07-10T10:00", "2024-07-10T11:00"], "datetime64[ns]").view(np.int64)
    >>> session_low([1.0, 2.0, 5.0], [3.0, 4.0, 6.0], [1.0, 0.5, 5.0], [2.0, 3.0, 5.0], three_hours).tolist()
    [nan, 1.0, 0.5]
    """
    return _before("LOW", session, open, high, low, close, ts, state)


@feature(unit="ATR", source=HOURS, state=PLACES)
def distance_to_session_open(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, atr: Column, tick: float = 0.0, *, session: str = "london", state: np.ndarray) -> Column:
    """How far the close lies above the open of ``session``, the latest one:  (C − open of its first bar) / ATR(14).
    After its close the level stays until it opens again. NaN before the first.

    >>> nine_and_ten = np.array(["2024-07-10T09:00", "2024-07-10T10:00"], "datetime64[ns]").view(np.int64)
    >>> distance_to_session_open([1.0, 2.0], [3.0, 4.0], [1.0, 1.0], [2.0, 3.0], nine_and_ten, [1.0, 1.0]).tolist()
    [1.0, 2.0]
    """
    return _distance(close, _session("OPEN", session, open, high, low, close, ts, state), atr, tick)


@feature(unit="ATR", source=HOURS, state=PLACES)
def distance_to_session_high(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, atr: Column, tick: float = 0.0, *, session: str = "london", state: np.ndarray) -> Column:
    """How far the close lies above the high of ``session``, the latest one, with this bar where it is in it:  (C − high) / ATR(14).
    After its close the level stays until it opens again. NaN before the first.

    >>> nine_and_ten = np.array(["2024-07-10T09:00", "2024-07-10T10:00"], "datetime64[ns]").view(np.int64)
    >>> distance_to_session_high([1.0, 2.0], [3.0, 4.0], [1.0, 1.0], [2.0, 3.0], nine_and_ten, [1.0, 1.0]).tolist()
    [-1.0, -1.0]
    """
    return _distance(close, _session("HIGH", session, open, high, low, close, ts, state), atr, tick)


@feature(unit="ATR", source=HOURS, state=PLACES)
def distance_to_session_low(open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, atr: Column, tick: float = 0.0, *, session: str = "london", state: np.ndarray) -> Column:
    """How far the close lies above the low of ``session``, the latest one, with this bar where it is in it:  (C − low) / ATR(14).
    After its close the level stays until it opens again. NaN before the first.

    >>> nine_and_ten = np.array(["2024-07-10T09:00", "2024-07-10T10:00"], "datetime64[ns]").view(np.int64)
    >>> distance_to_session_low([1.0, 2.0], [3.0, 4.0], [1.0, 1.0], [2.0, 3.0], nine_and_ten, [1.0, 1.0]).tolist()
    [1.0, 2.0]
    """
    return _distance(close, _session("LOW", session, open, high, low, close, ts, state), atr, tick)


@feature(unit="ATR", source="own definition, by the pip of the instrument")
def distance_to_round_number(close: Column, atr: Column, instrument: Instrument | None, *, pips: int = 100) -> Column:
    """How far the close lies above the nearest multiple of ``pips`` pips:  (C − it) / ATR(14), below it negative.
    A pip is the instrument's (0.0001 in EURUSD, 0.01 in USDJPY); NaN where none is known.

    >>> from domain.market.instrument import instrument
    >>> distance_to_round_number([1.1020], [0.001], instrument("EURUSD")).round(6).tolist()
    [2.0]
    """
    if instrument is None:
        return np.full(len(close), np.nan)
    step = pips * instrument.pip
    return _distance(close, np.rint(close / step) * step, atr, instrument.tick)


def _day(level: str, open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, state: np.ndarray) -> Column:
    from domain.features.kernels import sessions

    return sessions.levels(sessions.passed(ts, days_of(instrument).closes), open, high, low, close, getattr(sessions, level), state)


def _week(level: str, open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, instrument: Instrument | None, state: np.ndarray) -> Column:
    from domain.features.kernels import sessions

    days = days_of(instrument)
    return sessions.levels(days.week[sessions.passed(ts, days.closes)] , open, high, low, close, getattr(sessions, level), state)


def _session(level: str, session: str, open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, state: np.ndarray) -> Column:
    """Levels of the latest session; bars outside of it leave them as they are."""
    from domain.features.kernels import sessions

    hours = spans(session)
    opened = sessions.passed(ts, hours.opens)
    inside = opened > sessions.passed(ts, hours.closes)
    return sessions.levels(np.where(inside, opened, -1), open, high, low, close, getattr(sessions, level), state)


def _before(level: str, session: str, open: Column, high: Column, low: Column, close: Column, ts: np.ndarray, state: np.ndarray) -> Column:
    """A level of the latest session as it stood before each bar."""
    from domain.features.kernels import sessions

    prior = state[getattr(sessions, level)] if state[0] else np.nan
    return np.append(prior, _session(level, session, open, high, low, close, ts, state))[:-1]


def _distance(close: Column, level: Column, atr: Column, tick: float) -> Column:
    from domain.features.kernels.ratios import over_range

    return over_range(close - level, atr, close, tick)
