"""Wall clocks as arithmetic: what a zone's clock showed at an instant, and which instants showed a given time.

All values are int64 nanoseconds: since 1970 UTC for instants, since 1970 on the wall for local times.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from domain.errors import BadRequest

SECOND, HOUR, DAY = 1_000_000_000, 3_600_000_000_000, 86_400_000_000_000
FIRST_YEAR, LAST_YEAR = 1950, 2100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Changes(NamedTuple):
    """When a zone's offset changed, and to what; ``offsets`` has one element more, the offset before the first change."""

    at: np.ndarray
    offsets: np.ndarray


def to_local(utc_ns: np.ndarray, zone: str) -> np.ndarray:
    """What the wall clock of ``zone`` shows at each instant.

    >>> noon = np.array([1_720_612_800_000_000_000])          # 2024-07-10 12:00 UTC
    >>> int((to_local(noon, "America/New_York") - noon)[0] // HOUR)
    -4
    """
    changes = changes_of(zone)
    utc_ns = np.asarray(utc_ns, np.int64)
    return utc_ns + changes.offsets[np.searchsorted(changes.at, utc_ns, side="right")]


def to_utc(local_ns: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """The first and the second instant at which the wall clock of ``zone`` shows each time.

    They are equal but for a time that exists twice (first < second) and for one that does not exist (first > second).

    >>> wall = np.array(["2024-11-03T01:30", "2024-03-10T02:30", "2024-07-10T12:00"], "datetime64[ns]").view(np.int64)
    >>> first, second = to_utc(wall, "America/New_York")
    >>> ((second - first) // HOUR).tolist()
    [1, -1, 0]
    """
    changes = changes_of(zone)
    before, after = changes.offsets[:-1], changes.offsets[1:]
    local_ns = np.asarray(local_ns, np.int64)
    early = np.searchsorted(changes.at + np.maximum(before, after), local_ns, side="right")
    late = np.searchsorted(changes.at + np.minimum(before, after), local_ns, side="right")
    return local_ns - changes.offsets[early], local_ns - changes.offsets[late]


def instants(local_ns: np.ndarray, zone: str) -> np.ndarray:
    """One instant per local time: of two the first; a time that does not exist becomes the next that does.

    >>> wall = np.array(["2024-03-10T02:30", "2024-11-03T01:30"], "datetime64[ns]").view(np.int64)
    >>> instants(wall, "America/New_York").view("datetime64[ns]").astype("datetime64[m]").astype(str).tolist()
    ['2024-03-10T07:00', '2024-11-03T05:30']
    """
    first, second = to_utc(local_ns, zone)
    changes = changes_of(zone)
    if not len(changes.at):
        return first
    following = changes.at[np.clip(np.searchsorted(changes.at, second, side="right"), 0, len(changes.at) - 1)]
    return np.where(first > second, following, first)


def instant(moment: datetime | int) -> int:
    """Nanoseconds since 1970 UTC of an aware moment, or of such a number itself.

    >>> instant(datetime(1970, 1, 2, tzinfo=UTC)) == DAY
    True
    >>> instant(datetime(1970, 1, 2))
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: 1970-01-02 00:00:00 has no zone; give an aware time, such as one in UTC
    """
    if not isinstance(moment, datetime):
        return int(moment)
    if moment.tzinfo is None:
        raise BadRequest(f"{moment} has no zone; give an aware time, such as one in UTC")
    return _ns(moment - EPOCH)


@cache
def changes_of(zone: str) -> Changes:
    """Every change of a zone's offset from 1950 to 2100, found by halving the weeks in which one happened."""
    rules = _zone(zone)
    weeks = [datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) + timedelta(days=7 * week) for week in range((LAST_YEAR - FIRST_YEAR + 1) * 53)]
    offsets = [_offset(week, rules) for week in weeks]
    moments = [_change(weeks[i], weeks[i + 1], rules) for i in range(len(weeks) - 1) if offsets[i] != offsets[i + 1]]
    after = [_offset(moment, rules) for moment in moments]
    return Changes(np.array([_ns(moment - EPOCH) for moment in moments], np.int64), np.array([_ns(offset) for offset in (offsets[0], *after)], np.int64))


def is_zone(name: str) -> bool:
    """
    >>> is_zone("Europe/Prague"), is_zone("Europe/Atlantis")
    (True, False)
    """
    try:
        _zone(name)
    except BadRequest:
        return False
    return True


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest(f"no time zone named {name!r}; it must be an IANA name such as 'Europe/Prague'") from None


def _offset(moment: datetime, rules: ZoneInfo) -> timedelta:
    return moment.astimezone(rules).utcoffset() or timedelta()


def _change(low: datetime, high: datetime, rules: ZoneInfo) -> datetime:
    """The first whole second with the offset of ``high``."""
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _offset(middle, rules) != _offset(high, rules) else (low, middle)
    return high


def _ns(span: timedelta) -> int:
    return span // timedelta(microseconds=1) * 1000
