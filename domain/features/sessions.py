"""The periods that features count in: hours of financial centres, trading days and weeks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from domain.errors import unknown
from domain.market.calendar import calendar
from domain.market.instrument import Instrument
from domain.market.zones import DAY, FIRST_YEAR, HOUR, LAST_YEAR, changes_of, instants

TABLE = Path(__file__).with_name("sessions.toml")
FIRST, LAST = (int(np.datetime64(text, "D").astype(np.int64)) for text in (f"{FIRST_YEAR}-01-08", f"{LAST_YEAR}-12-24"))
MONDAY = 3      # 1970 began on a Thursday
SESSIONS = ("between sessions", "Asia", "London", "New York", "London and New York")    # by the code of ``session_at``


@dataclass(frozen=True)
class Hours:
    """One row of the table of sessions; ``opens`` and ``closes`` as its clocks show them."""

    title: str
    zone: str
    opens: str
    closes: str
    source: str


class SessionSpans(NamedTuple):
    """When each stretch opens and closes, UTC nanoseconds, in order."""

    opens: np.ndarray
    closes: np.ndarray


class Days(NamedTuple):
    """When each trading day closes, UTC nanoseconds, and the number of the week its date lies in (Monday to Sunday)."""

    closes: np.ndarray
    week: np.ndarray


@cache
def sessions() -> Mapping[str, Hours]:
    """Every session by name.

    >>> list(sessions())
    ['asia', 'india', 'london', 'new_york']
    """
    return {name: Hours(**row) for name, row in tomllib.loads(TABLE.read_text(encoding="utf-8")).items()}


@cache
def spans(name: str) -> SessionSpans:
    """The hours of a session on every weekday; where clocks are put forward or back they move with them.

    >>> spans("londn")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no session named 'londn'; did you mean 'london'?
    """
    if name not in sessions():
        raise unknown("session", name, sessions())
    row, days = sessions()[name], np.arange(FIRST, LAST)
    days = days[(days + MONDAY) % 7 < 5] * DAY
    opens, closes = _clock(row.opens), _clock(row.closes)
    return SessionSpans(instants(days + opens, row.zone), instants(days + closes + DAY * (closes <= opens), row.zone))


def session_at(ts: np.ndarray) -> np.ndarray:
    """Which centre deals at each instant, its place in SESSIONS. Where Asia and London overlap it is London.

    >>> times = ["2024-07-10T02:00", "2024-07-10T07:30", "2024-07-10T13:00", "2024-07-10T18:00", "2024-07-10T21:30"]
    >>> session_at(np.array(times, "datetime64[ns]").view(np.int64)).tolist()
    [1, 2, 4, 3, 0]
    """
    asia, london, new_york = (_is_open(ts, spans(name)) for name in ("asia", "london", "new_york"))
    return np.where(london & new_york, 4, np.where(new_york, 3, np.where(london, 2, asia.astype(np.int64))))


def _is_open(ts: np.ndarray, hours: SessionSpans) -> np.ndarray:
    return np.searchsorted(hours.opens, ts, side="right") > np.searchsorted(hours.closes, ts, side="right")


def days_of(instrument: Instrument | None) -> Days:
    """The trading days of an instrument, each to its close (17:00 New York in FX); days of UTC where no instrument is known."""
    return _days(instrument.calendar if instrument else "")


def zone_of(instrument: Instrument | None) -> str:
    """The zone on whose clock an instrument's trading days are defined; UTC where no instrument is known."""
    return calendar(instrument.calendar).zone if instrument else "UTC"


def minutes_of(ts: np.ndarray, zone: str) -> np.ndarray:
    """Minutes on the wall clock of ``zone``, from a Monday's midnight in 1969: int64.

    >>> wednesday_noon = np.array(["2024-07-10T12:00"], "datetime64[ns]").view(np.int64)
    >>> (minutes_of(wednesday_noon, "Asia/Tokyo") % 10_080 / 60).tolist()
    [69.0]
    """
    from domain.features.kernels.sessions import minutes

    return minutes(ts, *changes_of(zone))


@cache
def _days(name: str) -> Days:
    if name:
        table = calendar(name).day_table
        closes, day = table.closes, table.day
    else:
        day = np.arange(FIRST, LAST)
        closes = (day + 1) * DAY
    return Days(np.ascontiguousarray(closes), (np.append(day, day[-1] + 1) + MONDAY) // 7)


def _clock(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * HOUR + int(minutes) * (HOUR // 60)
