"""Moments that a clock on a wall decides: the rolls of swap, and the hour a position must be flat (sections 4, 5 and 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import BadRequest
from domain.features.sessions import sessions
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
    result = []
    day, last = utc(start).date() - DAY, utc(end).date() + DAY
    while day <= last:
        if day.weekday() < 5 and start < roll_of(day) <= end:
            result.append((roll_of(day), 3 if day.weekday() == TRIPLE_DAYS[triple_day] else 1))
        day += DAY
    return result


@lru_cache(4096)
def flat_moment(text: str, after: int) -> int:
    """Section 4: the first occurrence of ``Fri 20:00 Europe/Athens`` later than ``after``."""
    weekday, hour, zone = _read(text)
    day = utc(after).astimezone(zone).date() - DAY
    while True:
        if day.weekday() == weekday and (moment := instant_of(datetime.combine(day, hour), zone)) > after:
            return moment
        day += DAY


@lru_cache(65536)
def day_end(text: str, instant: int) -> int:
    """Section 9: the end of the day that ``instant`` belongs to, the first ``17:00 America/New_York`` at or after it.

    >>> utc(day_end("17:00 America/New_York", nanoseconds(datetime(2024, 7, 10, 21, tzinfo=UTC)))).isoformat()
    '2024-07-10T21:00:00+00:00'
    >>> utc(day_end("17:00 America/New_York", nanoseconds(datetime(2024, 7, 10, 21, 1, tzinfo=UTC)))).isoformat()
    '2024-07-11T21:00:00+00:00'
    """
    hour, zone = _clock(text, "day_reset")
    day = utc(instant).astimezone(zone).date() - DAY
    while (moment := instant_of(datetime.combine(day, hour), zone)) < instant:
        day += DAY
    return moment


def in_session(name: str, instant: int) -> bool:
    """Section 9: between open and close of the session, Monday to Friday, on its own clock; the open included, the close not.

    >>> in_session("london", nanoseconds(datetime(2024, 7, 10, 7, tzinfo=UTC))), in_session("london", nanoseconds(datetime(2024, 7, 10, 16, tzinfo=UTC)))
    (True, False)
    """
    if name not in sessions():
        raise BadRequest(f"there is no session {name}")
    hours = sessions()[name]
    zone, opens, closes = ZoneInfo(hours.zone), time.fromisoformat(hours.opens), time.fromisoformat(hours.closes)
    today = utc(instant).astimezone(zone).date()
    for day in (today - DAY, today):
        end = day if closes > opens else day + DAY
        if day.weekday() < 5 and instant_of(datetime.combine(day, opens), zone) <= instant < instant_of(datetime.combine(end, closes), zone):
            return True
    return False


def _clock(text: str, name: str) -> tuple[time, ZoneInfo]:
    try:
        clock, zone = text.split()
        return time.fromisoformat(clock), ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError):
        raise BadRequest(f"{name} is {text!r}; it must read like '17:00 America/New_York'") from None


@dataclass(frozen=True)
class Window:
    """A stretch of local time that comes back every week or, without a weekday, every day."""

    weekday: int | None
    opens: time
    days: int  # from the date of its start to that of its end
    closes: time
    zone: ZoneInfo

    def holds(self, instant: int) -> bool:
        """Start included, end not."""
        today = utc(instant).astimezone(self.zone).date()
        for back in range(self.days + 1):
            day = today - back * DAY
            if self.weekday in (None, day.weekday()) and self._start(day) <= instant < self._end(day):
                return True
        return False

    def _start(self, day: date) -> int:
        return instant_of(datetime.combine(day, self.opens), self.zone)

    def _end(self, day: date) -> int:
        return instant_of(datetime.combine(day + self.days * DAY, self.closes), self.zone)


@lru_cache(65536)
def in_blackout(text: str, instant: int) -> bool:
    """Section 9: whether ``instant`` is in one of the windows of ``text``, weekly or daily ones, separated by ``;``.

    >>> friday = nanoseconds(datetime(2024, 7, 12, 17, tzinfo=UTC))                      # 20:00 in Athens
    >>> [in_blackout("Fri 20:00-Sun 23:00 Europe/Athens; 12:25-12:35 UTC", friday + k) for k in (-1, 0, 51 * 3_600_000_000_000)]
    [False, True, False]
    >>> in_blackout("23:30-00:30 UTC", friday + 7 * 3_600_000_000_000)
    True
    """
    return any(window.holds(instant) for window in windows(text))


@cache
def windows(text: str) -> tuple[Window, ...]:
    return tuple(_window(part.strip()) for part in text.split(";")) if text.strip() else ()


def _window(text: str) -> Window:
    """A daily window that does not end later than it starts ends on the next day, a weekly one in the next week."""
    try:
        span, zone = text.rsplit(maxsplit=1)
        (*first, opens), (*last, closes) = (part.split() for part in span.split("-"))
        start, end = (None if not word else WEEKDAYS.index(word[0].lower()[:3]) for word in (first, last))
        begins, ends = time.fromisoformat(opens), time.fromisoformat(closes)
        if start is not None and end is not None:
            return Window(start, begins, (end - start) % 7 or 7 * (ends <= begins), ends, ZoneInfo(zone))
        if start is None and end is None:
            return Window(None, begins, int(ends <= begins), ends, ZoneInfo(zone))
        raise ValueError("one weekday without the other")
    except (ValueError, ZoneInfoNotFoundError):
        raise BadRequest(f"blackout has {text!r}; a window must read like 'Fri 20:00-Sun 23:00 Europe/Athens' or '12:25-12:35 UTC'") from None


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
