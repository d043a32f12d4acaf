"""Moments that a clock on a wall decides: the rolls of swap, and the hour a position must be flat (sections 4, 5 and 8)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import BadRequest
from domain.market.instrument import TRIPLE_DAYS

NEW_YORK = ZoneInfo("America/New_York")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


def nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def utc(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=instant // 1000)


@cache
def roll_of(day: date) -> int:
    """17:00 in New York, which every day has exactly once."""
    return nanoseconds(datetime.combine(day, time(17), NEW_YORK))


def rolls(start: int, end: int, triple_day: str) -> list[tuple[int, int]]:
    """(instant, nights) of each roll in (start, end]: Monday–Friday 17:00 New York; three nights on the triple day."""
    found = []
    day, last = utc(start).date() - DAY, utc(end).date() + DAY
    while day <= last:
        if day.weekday() < 5 and start < roll_of(day) <= end:
            found.append((roll_of(day), 3 if day.weekday() == TRIPLE_DAYS[triple_day] else 1))
        day += DAY
    return found


@lru_cache(4096)
def flat_moment(text: str, after: int) -> int:
    """Section 4: the first occurrence of ``Fri 20:00 Europe/Athens`` later than ``after``."""
    weekday, hour, zone = _read(text)
    day = utc(after).astimezone(zone).date() - DAY
    while True:
        if day.weekday() == weekday and (moment := instant_of(datetime.combine(day, hour), zone)) > after:
            return moment
        day += DAY


def _read(text: str) -> tuple[int, time, ZoneInfo]:
    try:
        weekday, clock, zone = text.split()
        return WEEKDAYS.index(weekday.lower()[:3]), time.fromisoformat(clock), ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError):
        raise BadRequest(f"flat_by is {text!r}; it must read like 'Fri 20:00 Europe/Athens'") from None


def instant_of(local: datetime, zone: ZoneInfo) -> int:
    """A local time that exists twice: the first. One that does not exist: the next that does, the moment the clock is put forward.

    >>> newyork = ZoneInfo("America/New_York")
    >>> utc(instant_of(datetime(2024, 3, 10, 2, 30), newyork)).isoformat()
    '2024-03-10T07:00:00+00:00'
    >>> utc(instant_of(datetime(2024, 11, 3, 1, 30), newyork)).isoformat()
    '2024-11-03T05:30:00+00:00'
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == local:
        return nanoseconds(first)
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return nanoseconds(_change(before, first, zone))


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second between ``before`` and ``after`` at which the offset of ``zone`` changes."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == old else (before, middle)
    return after


@lru_cache(4096)
def shut_before(moment: int, timeframe: int, calendar_name: str) -> int | None:
    """Section 8: where the first multiple of the timeframe at or after ``moment`` is outside every session: the end of the one before it.

    None: the market is open there, so a bar can open.
    """
    from domain.market.calendar import calendar

    first = -(-moment // timeframe) * timeframe
    opens, closes = calendar(calendar_name).sessions(first - 14 * 86_400_000_000_000, first + 1)
    if any(opened <= first < closed for opened, closed in zip(opens.tolist(), closes.tolist(), strict=True)):
        return None
    return max((closed for closed in closes.tolist() if closed <= first), default=None)
