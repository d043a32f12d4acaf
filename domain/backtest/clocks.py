"""Moments that a simulation must know beforehand: swap rolls, and when a position must be flat."""

from __future__ import annotations

import re

import numpy as np

from domain.backtest.kernel import layout
from domain.backtest.memory import address_of
from domain.errors import BadRequest
from domain.market.calendar import calendar
from domain.market.instrument import TRIPLE_DAYS
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, instants, is_zone

NEVER = np.iinfo(np.int64).max
MINUTE = 60_000_000_000
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def wall(days: np.ndarray, hour: int, minute: int, zone: str) -> np.ndarray:
    """UTC nanoseconds of that wall time on each day (days since 1970). A time that does not exist is the next that does;
    of one that exists twice, the first counts."""
    return instants(days * DAY + (hour * 60 + minute) * MINUTE, zone)


def swap_nights(ts: np.ndarray, end: np.ndarray, triple_day: str) -> tuple[np.ndarray, np.ndarray]:
    """Nights charged before each bar (rolls that no bar covers) and in it (ts < roll <= end): Monday to Friday 17:00
    New York, three on the triple day.

    >>> ts = np.array(["2024-07-09T20:00", "2024-07-10T20:00"], "datetime64[ns]").astype(np.int64)
    >>> [nights.tolist() for nights in swap_nights(ts, ts + 3_600_000_000_000, "wednesday")]
    [[0, 0], [1, 3]]
    """
    rolls, nights = rolls_of(np.arange(ts[0] // DAY - 1, end[-1] // DAY + 2), triple_day)
    before, within = np.empty(len(ts), np.int8), np.empty(len(ts), np.int8)
    layout.nights_of(address_of(ts), address_of(end), len(ts), address_of(rolls), address_of(nights), len(rolls), address_of(before), address_of(within))
    return before, within


def rolls_of(days: np.ndarray, triple_day: str) -> tuple[np.ndarray, np.ndarray]:
    """The rolls on these days (since 1970), and the nights of each."""
    weekday = (days + 3) % 7
    days, weekday = days[weekday < 5], weekday[weekday < 5]
    rolls = np.ascontiguousarray(wall(days, 17, 0, "America/New_York"), np.int64)
    return rolls, np.where(weekday == TRIPLE_DAYS[triple_day], 3, 1).astype(np.int64)


def flat_moments(text: str, ts: np.ndarray, timeframe: Timeframe, calendar_name: str) -> tuple[np.ndarray, np.ndarray]:
    """For a position filled in each bar: when it must be flat, and the shut before that moment if no bar can open between.

    >>> ts = np.array(["2024-07-12T10:00"], "datetime64[ns]").astype(np.int64)       # a Friday
    >>> at, shut = flat_moments("Fri 17:00 America/New_York", ts, Timeframe.named("H1"), "fx")
    >>> [str(t.view("datetime64[ns]")[0])[:16] for t in (at, shut)]
    ['2024-07-12T21:00', '2024-07-12T21:00']
    """
    weekday, hour, minute, zone = parse_flat_by(text)
    days = np.arange(ts[0] // DAY - 8, ts[-1] // DAY + 10)
    moments = wall(days[(days + 3) % 7 == weekday], hour, minute, zone)
    shuts = np.array([_shut_before(moment, timeframe, calendar_name) for moment in moments], dtype=np.int64)
    following = np.searchsorted(moments, ts, side="right")
    return moments[following], shuts[following]


def _shut_before(moment: int, timeframe: Timeframe, calendar_name: str) -> int:
    step = timeframe.nanoseconds
    first_open = -(-moment // step) * step
    opens, closes = calendar(calendar_name).sessions(first_open - 10 * DAY, first_open + DAY)
    if np.any((opens <= first_open) & (first_open < closes)):
        return NEVER
    past = closes[closes <= first_open]
    return int(past[-1]) if len(past) else NEVER


def parse_flat_by(text: str) -> tuple[int, int, int, str]:
    """
    >>> parse_flat_by("Fri 20:00 Europe/Athens")
    (4, 20, 0, 'Europe/Athens')
    """
    match = re.fullmatch(r"(\w{3})\w*\s+(\d{1,2}):(\d{2})\s+(\S+)", text.strip())
    if not match or match[1].lower() not in WEEKDAYS or int(match[2]) > 23 or int(match[3]) > 59:
        raise BadRequest(f"flat_by is {text!r}; it must be a weekday, a time and a zone, as in 'Fri 20:00 Europe/Athens'")
    if not is_zone(match[4]):
        raise BadRequest(f"flat_by names the zone {match[4]!r}, which does not exist; write one like Europe/Athens or America/New_York")
    return WEEKDAYS.index(match[1].lower()), int(match[2]), int(match[3]), match[4]
