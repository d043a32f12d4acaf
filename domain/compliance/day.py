"""The trading day of a rule set: a wall-clock time at which it begins anew, on one clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from domain.errors import BadRequest, UnknownName, unknown
from domain.market.clock import Clock, clock
from domain.market.zones import DAY, SECOND, instants

FIRST, LAST = np.datetime64("1950-01-02", "D").astype(int), np.datetime64("2100-01-01", "D").astype(int)
MINUTE = 60 * SECOND
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
SERVER = "MT5 server"  # New York + 7 h: its midnight is 17:00 New York
SERVERS = {"mt5 server", "mt5", "server", "mt5 server time", "new york + 7 h", "america/new_york + 7 h"}
OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?")


class Resets(NamedTuple):
    """Every reset from 1950 to 2100, UTC nanoseconds in order, and the date of the trading day that begins there, days since 1970."""

    at: np.ndarray
    day: np.ndarray


@dataclass(frozen=True)
class DayClock:
    """A day begins at ``reset`` (``HH:MM``) on the wall clock ``tz``: an IANA zone, ``MT5 server``, or a fixed offset such as ``UTC+2``.

    A day that begins at noon or later is called by the date on which it ends, as futures exchanges do.

    >>> midnight = DayClock("00:00", "Europe/Prague").resets
    >>> at = midnight.at[np.searchsorted(midnight.day, np.datetime64("2026-03-29", "D").astype(int))]
    >>> str(at.astype("datetime64[ns]"))[:16]
    '2026-03-28T23:00'
    """

    reset: str
    tz: str

    def __post_init__(self) -> None:
        if not TIME.fullmatch(self.reset):
            raise BadRequest(f"day.reset is {self.reset!r}; it must be a time of day such as '00:00' or '17:00'")
        zone_of(self.tz)

    @property
    def resets(self) -> Resets:
        return _resets(self.reset, self.tz)

    def day_of(self, ts: np.ndarray | int) -> np.ndarray:
        """Row in ``resets`` of the day of each instant; an instant at a reset belongs to the day that begins there.

        >>> chicago = DayClock("17:00", "America/Chicago")
        >>> before, at = np.array(["2026-03-10T21:59:59", "2026-03-10T22:00"], "datetime64[ns]").view(np.int64)
        >>> int(chicago.day_of(at) - chicago.day_of(before))
        1
        """
        return np.searchsorted(self.resets.at, ts, side="right") - 1

    def instants_of(self, wall: np.ndarray) -> np.ndarray:
        """The instants at which this clock shows the times ``wall`` (nanoseconds since 1970 on the wall)."""
        return utc_of(wall, zone_of(self.tz))

    @property
    def minutes(self) -> int:
        return minutes_of(self.reset)

    def __str__(self) -> str:
        return f"{self.reset} {self.tz}"


def minutes_of(text: str) -> int:
    """
    >>> minutes_of("17:05")
    1025
    """
    match = TIME.fullmatch(text.strip())
    if not match:
        raise BadRequest(f"{text!r} is no time of day; write it like '15:10'")
    return int(match[1]) * 60 + int(match[2])


@cache
def zone_of(tz: str) -> Clock:
    """The clock that a rule set names.

    >>> zone_of("MT5 server").shift, zone_of("+05:30").shift
    (420, 330)
    >>> zone_of("Europe/Pargue")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no time zone named 'Europe/Pargue'; did you mean 'Europe/Prague'?
    """
    if " ".join(tz.lower().split()) in SERVERS:
        return clock("mt5_us")
    if fixed := OFFSET.fullmatch(tz.strip()):
        return clock(f"UTC{fixed[1]}{int(fixed[2])}:{fixed[3] or '00'}")
    try:
        return clock(tz)
    except UnknownName as error:
        near = str(error).partition("did you mean ")[2].strip("'?")
        raise unknown(
            "time zone", tz, [near] if near else [SERVER, "any IANA zone such as Europe/Prague", "UTC+2 or the like"]
        ) from None


def utc_of(wall: np.ndarray, on: Clock) -> np.ndarray:
    """One instant a wall time: of two the first; a time that does not exist becomes the next that does."""
    utc = instants(wall - on.shift * MINUTE, on.zone)
    if on.then is None:
        return utc
    later = wall >= np.datetime64(f"{on.until + 1}-01-01", "ns").astype(np.int64)
    return np.where(later, utc_of(wall, on.then), utc)


@cache
def _resets(reset: str, tz: str) -> Resets:
    minutes, days = minutes_of(reset), np.arange(FIRST, LAST, dtype=np.int64)
    at = utc_of(days * DAY + minutes * MINUTE, zone_of(tz))
    return Resets(at, days + (minutes >= 12 * 60))
