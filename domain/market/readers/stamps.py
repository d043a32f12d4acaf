"""Time stamps in bulk: columns of texts turned into wall-clock nanoseconds by arithmetic on their bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from domain.market.zones import DAY, SECOND

EPOCH = datetime(1970, 1, 1)
COMPACT, ISO, DAY_FIRST, MONTH_FIRST, EITHER = (
    "YYYYMMDD HHMMSS",
    "ISO 8601",
    "DD.MM.YYYY",
    "MM/DD/YYYY",
    "DD/MM or MM/DD",
)
SECONDS, MILLIS, MICROS, NANOS = "epoch seconds", "epoch milliseconds", "epoch microseconds", "epoch nanoseconds"
MIDNIGHT = "milliseconds since midnight"
UNITS = {SECONDS: SECOND, MILLIS: SECOND // 1_000, MICROS: SECOND // 1_000_000, NANOS: 1, MIDNIGHT: SECOND // 1_000}
EARLIEST, LATEST = SECOND * 100_000_000, SECOND * 7_258_118_400  # of counts since 1970: March 1973 to the year 2200
BOUNDS = {MIDNIGHT: (0, DAY)}
ACCEPTED = "YYYY-MM-DD HH:MM[:SS], DD.MM.YYYY HH:MM[:SS], YYYYMMDD HHMM[SS], or seconds to nanoseconds since 1970"

_TIME = r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9})\d*)?)?(?:\s?(?P<p>[AaPp][Mm]))?"
_ZONE = r"(?:\s?(?P<zone>Z|GMT|UTC|(?:GMT|UTC)?[+-]\d{2}(?::?\d{2})?))?"
_YEAR_LAST = (
    r"(?P<{}>\d{{1,2}})[./-](?P<{}>\d{{1,2}})[./-](?P<Y>\d{{4}})(?:[T ]\s?"
    + _TIME.replace("{", "{{").replace("}", "}}")
    + ")?"
    + _ZONE.replace("{", "{{").replace("}", "}}")
)
FIELDS = {
    COMPACT: re.compile(
        r"(?P<Y>\d{4})(?P<M>\d{2})(?P<D>\d{2})"
        r"(?:[ T]?(?P<h>\d{1,2}):?(?P<m>\d{2})(?::?(?P<s>\d{2})(?:\.?(?P<f>\d{3,9}))?)?)?"
        + _ZONE
    ),
    ISO: re.compile(r"(?P<Y>\d{4})[-./](?P<M>\d{1,2})[-./](?P<D>\d{1,2})(?:[T ]\s?" + _TIME + ")?" + _ZONE),
    DAY_FIRST: re.compile(_YEAR_LAST.format("D", "M")),
    MONTH_FIRST: re.compile(_YEAR_LAST.format("M", "D")),
    EITHER: re.compile(_YEAR_LAST.format("D", "M")),
    SECONDS: re.compile(r"\d{9,10}(?:\.\d+)?"),
    MILLIS: re.compile(r"\d{12,13}(?:\.\d+)?"),
    MICROS: re.compile(r"\d{15,16}"),
    NANOS: re.compile(r"\d{18,19}"),
    MIDNIGHT: re.compile(r"\d{1,8}(?:\.\d+)?"),
}
SLASHED = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{4}")
NAMED_ZONES = {"Z": "+0000", "UTC": "+0000", "GMT": "+0000"}


class Stamp(NamedTuple):
    """Nanoseconds since 1970, on UTC if ``aware``, else on the file's wall clock."""

    ns: int
    aware: bool


def kind_of(text: str) -> str | None:
    """The known way to write a time that fits; ``EITHER`` where day and month cannot be distinguished by this one text.

    >>> kind_of("20250302 170000"), kind_of("2025-03-02T17:00:00Z"), kind_of("1740934800"), kind_of("soon")
    ('YYYYMMDD HHMMSS', 'ISO 8601', 'epoch seconds', None)
    >>> kind_of("08.01.2024 01:00"), kind_of("01/13/2024"), kind_of("01/08/2024 9:30 PM")
    ('DD.MM.YYYY', 'MM/DD/YYYY', 'DD/MM or MM/DD')
    """
    for kind in (COMPACT, SECONDS, MILLIS, MICROS, NANOS, ISO):
        if FIELDS[kind].fullmatch(text) and (kind != COMPACT or _possible(text)):
            return kind
    match = FIELDS[DAY_FIRST].fullmatch(text)
    if not match:
        return None
    day, month = int(match["D"]), int(match["M"])
    if not 1 <= max(day, month) <= 31:
        return None
    if max(day, month) > 12:
        return DAY_FIRST if month <= 12 else MONTH_FIRST
    return EITHER if SLASHED.match(text) else DAY_FIRST


def day_only(text: str) -> bool:
    """Whether the first number of a date can be nothing but its day.

    >>> day_only("13.01.2024"), day_only("08.01.2024")
    (True, False)
    """
    match = FIELDS[DAY_FIRST].fullmatch(text)
    return match is not None and int(match["D"]) > 12


def _possible(text: str) -> bool:
    """Whether digits that may be a date are one: 12 of them may be milliseconds as well."""
    try:
        return parse_one(text, COMPACT).ns >= 0 and int(text[:4]) <= 2100
    except ValueError:
        return False


def parse_one(text: str, kind: str) -> Stamp:
    """A single stamp; ValueError says what is wrong with it.

    >>> parse_one("2025-03-02 17:00:00+02:00", ISO)
    Stamp(ns=1740927600000000000, aware=True)
    >>> parse_one("20250230 170000", COMPACT)
    Traceback (most recent call last):
    ...
    ValueError: day is out of range for month
    """
    if is_pattern(kind):
        return _by_pattern(text, kind)
    match = FIELDS[kind].fullmatch(text)
    if not match:
        raise ValueError(f"{text[:40]!r} is not a time written as {kind}")
    if kind in UNITS:
        return _counted(text, kind)
    parts = match.groupdict()
    year, month, day, hour, minute, second = (int(parts[name] or 0) for name in "YMDhms")
    if not 1900 <= year <= 2200:
        raise ValueError(f"the year {year} is not between 1900 and 2200")
    span = datetime(year, month, day, _in_day(hour, parts["p"]) if parts.get("p") else hour, minute, second) - EPOCH
    ns = (span.days * 86_400 + span.seconds) * SECOND + int((parts["f"] or "").ljust(9, "0"))
    return Stamp(ns - _offset(parts["zone"]), True) if parts["zone"] else Stamp(ns, False)


def is_pattern(kind: str) -> bool:
    """Whether a way to write times is a pattern such as ``%d %b %Y %H:%M``, Python's."""
    return "%" in kind


def _by_pattern(text: str, pattern: str) -> Stamp:
    try:
        at = datetime.strptime(text, pattern)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a time written as {pattern}") from None
    if not 1900 <= at.year <= 2200:
        raise ValueError(f"the year {at.year} is not between 1900 and 2200")
    zone = at.utcoffset()
    span = at.replace(tzinfo=None) - EPOCH
    ns = (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1_000
    return Stamp(ns - (zone.days * 86_400 + zone.seconds) * SECOND if zone is not None else ns, zone is not None)


def parse_pattern(texts: Sequence[str], pattern: str) -> tuple[np.ndarray, bool] | None:
    """Stamps of texts written by one pattern, and whether they are aware; None if any is out of the ordinary.

    >>> parse_pattern(["2 Mar 25 17:00", "2 Mar 25 17:01"], "%d %b %y %H:%M")[0].tolist()
    [1740934800000000000, 1740934860000000000]
    """
    distinct: dict[str, Stamp] = {}
    try:
        for text in texts:
            if text not in distinct:
                distinct[text] = _by_pattern(text, pattern)
    except ValueError:
        return None
    if len({stamp.aware for stamp in distinct.values()}) != 1:
        return None
    return np.array([distinct[text].ns for text in texts], np.int64), distinct[texts[0]].aware


def _in_day(hour: int, half: str) -> int:
    """The hour of the day of an hour AM or PM."""
    if not 1 <= hour <= 12:
        raise ValueError(f"{hour} {half} is not an hour")
    return hour % 12 + 12 * (half.upper() == "PM")


def _counted(text: str, kind: str) -> Stamp:
    number, _, fraction = text.partition(".")
    ns = int(number) * UNITS[kind] + int(int((fraction or "0")[:9].ljust(9, "0")) * UNITS[kind] // SECOND)
    least, most = BOUNDS.get(kind, (EARLIEST, LATEST))
    if not least <= ns < most:
        raise ValueError(
            f"more milliseconds than a day has ({text})"
            if kind == MIDNIGHT
            else "a count since 1970 that is not between the years 1973 and 2200"
        )
    return Stamp(ns, kind != MIDNIGHT)


def parse_counts(values: np.ndarray, kind: str) -> tuple[np.ndarray, bool] | None:
    """Stamps of whole counts, unless one is out of bounds."""
    least, most = BOUNDS.get(kind, (EARLIEST, LATEST))
    if values.min() < least // UNITS[kind] or values.max() >= most // UNITS[kind]:
        return None
    return values * UNITS[kind], kind != MIDNIGHT


def parse_rows(texts: np.ndarray, kind: str) -> tuple[np.ndarray, bool] | None:
    """Stamps of a table of characters (one row a text, uint8), and whether they are aware; None if any row is out of
    the ordinary.

    >>> parse_rows(np.frombuffer(b"20250302 17000020250302 170100", np.uint8).reshape(2, 15), COMPACT)[0].tolist()
    [1740934800000000000, 1740934860000000000]
    """
    match = FIELDS[kind].fullmatch(texts[0].tobytes().decode("latin-1"))
    if not match or match.groupdict().get("p"):
        return None
    spans = {
        name: match.span(name) for name, value in match.groupdict().items() if value is not None and name != "zone"
    }
    free = {at for start, end in spans.values() for at in range(start, end)}
    if not all(at in free or bool((texts[:, at] == texts[0, at]).all()) for at in range(texts.shape[1])):
        return None
    values = {name: _number(texts, *span) for name, span in spans.items()}
    ns = _civil(values, len(texts))
    if ns is None:
        return None
    if "f" in values:
        ns = ns + values["f"] * 10 ** (9 - (spans["f"][1] - spans["f"][0]))
    return (ns - _offset(match["zone"]), True) if match["zone"] else (ns, False)


def _number(texts: np.ndarray, start: int, end: int) -> np.ndarray:
    """The number that stands there in each text; -1 where a character is not a digit."""
    value, wrong = np.zeros(len(texts), np.int64), np.zeros(len(texts), bool)
    for at in range(start, end):
        digit = texts[:, at] - np.uint8(48)
        wrong |= digit > 9
        value = value * 10 + digit
    return np.where(wrong, -1, value)


def _civil(values: Mapping[str, np.ndarray], rows: int) -> np.ndarray | None:
    """Days from the civil calendar (Howard Hinnant's algorithm), then the time of day; None if any date or time does
    not exist.
    """
    year, month, day = (values[name] for name in "YMD")
    hour, minute, second, fraction = (values.get(name, np.zeros(rows, np.int64)) for name in "hmsf")
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    long = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
    in_year = (month >= 1) & (month <= 12)
    real = in_year & (day >= 1) & (day <= long[np.where(in_year, month, 0)] + (leap & (month == 2)))
    real &= (hour >= 0) & (hour < 24) & (minute >= 0) & (minute < 60) & (second >= 0) & (second < 60) & (fraction >= 0)
    if not (real & (year >= 1900) & (year <= 2200)).all():
        return None
    shifted = year - (month <= 2)
    era, of_era = shifted // 400, shifted % 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
    return days.astype(np.int64) * DAY + (hour * 3600 + minute * 60 + second).astype(np.int64) * SECOND


def _offset(zone: str) -> int:
    """
    >>> _offset("GMT+0530") // SECOND, _offset("-05:00") // SECOND, _offset("+02") // SECOND, _offset("Z")
    (19800, -18000, 7200, 0)
    """
    text = NAMED_ZONES.get(zone, zone).removeprefix("GMT").removeprefix("UTC").replace(":", "")
    minutes = int(text[1:3]) * 60 + int(text[3:] or 0)
    return (minutes if text[0] == "+" else -minutes) * 60 * SECOND
