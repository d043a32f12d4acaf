"""Time stamps in bulk: columns of equally long texts turned into wall-clock nanoseconds by arithmetic on their bytes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

import numpy as np

from domain.market.zones import DAY, SECOND

EPOCH = datetime(1970, 1, 1)
COMPACT, ISO, SECONDS, MILLIS = "YYYYMMDD HHMMSS", "ISO 8601", "epoch seconds", "epoch milliseconds"
UNITS = {SECONDS: SECOND, MILLIS: SECOND // 1000}
EARLIEST, LATEST = SECOND * 100_000_000, SECOND * 7_258_118_400        # of counts since 1970: March 1973 to the year 2200
FIELDS = {
    COMPACT: re.compile(r"(\d{4})(\d{2})(\d{2}) (\d{2})(\d{2})(\d{2})"),
    ISO: re.compile(r"(\d{4})[-./](\d{2})[-./](\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?(\.\d+)?\s?(Z|[+-]\d{2}:?\d{2})?"),
    SECONDS: re.compile(r"\d{9,10}"),
    MILLIS: re.compile(r"\d{12,13}"),
}


class Stamp(NamedTuple):
    """Nanoseconds since 1970, on UTC if ``aware``, else on the file's wall clock."""

    ns: int
    aware: bool


def kind_of(text: str) -> str | None:
    """The first known way to write a time that fits.

    >>> kind_of("20250302 170000"), kind_of("2025-03-02T17:00:00Z"), kind_of("1740934800"), kind_of("soon")
    ('YYYYMMDD HHMMSS', 'ISO 8601', 'epoch seconds', None)
    """
    return next((kind for kind in (COMPACT, SECONDS, MILLIS, ISO) if FIELDS[kind].fullmatch(text)), None)


def one(text: str, kind: str) -> Stamp:
    """A single stamp; ValueError says what is wrong with it.

    >>> one("2025-03-02 17:00:00+02:00", ISO)
    Stamp(ns=1740927600000000000, aware=True)
    >>> one("20250230 170000", COMPACT)
    Traceback (most recent call last):
    ...
    ValueError: day is out of range for month
    """
    found = FIELDS[kind].fullmatch(text)
    if not found:
        raise ValueError(f"{text[:40]!r} is not a time written as {kind}")
    if kind in UNITS:
        return _counted(int(text) * UNITS[kind])
    year, month, day, hour, minute, second = (int(group or 0) for group in found.groups()[:6])
    if not 1900 <= year <= 2200:
        raise ValueError(f"the year {year} is not between 1900 and 2200")
    span = datetime(year, month, day, hour, minute, second) - EPOCH
    ns = (span.days * 86_400 + span.seconds) * SECOND
    if kind != ISO:
        return Stamp(ns, False)
    fraction, zone = found[7], found[8]
    ns += int((fraction or ".")[1:10].ljust(9, "0"))
    return Stamp(ns - _offset(zone), True) if zone else Stamp(ns, False)


def _counted(ns: int) -> Stamp:
    if not EARLIEST <= ns < LATEST:
        raise ValueError("a count since 1970 that is not between the years 1973 and 2200")
    return Stamp(ns, True)


def many(texts: np.ndarray, kind: str) -> tuple[np.ndarray, bool] | None:
    """Stamps of a table of characters (one row a text, uint8), and whether they are aware; None if any row is out of the ordinary.

    >>> many(np.frombuffer(b"20250302 17000020250302 170100", np.uint8).reshape(2, 15), COMPACT)[0].tolist()
    [1740934800000000000, 1740934860000000000]
    """
    digits, fixed = _places(kind, texts[0].tobytes())
    if digits is None or not _same(texts, fixed):
        return None
    values = _numbers(texts, digits)
    if values is None:
        return None
    ns = _civil(values)
    if ns is None or kind != ISO:
        return None if ns is None else (ns, False)
    return _with_zone(texts, ns, 10 if len(digits) == 3 else 16 if len(digits) == 5 else 19)


def _places(kind: str, first: bytes) -> tuple[list[tuple[int, int]] | None, dict[int, bytes]]:
    """Where the numbers stand, (from, to), and which characters must stand between them, judged by the first text."""
    width = len(first)
    date = [(0, 4), (5, 7), (8, 10)]
    if kind == COMPACT:
        return ([(0, 4), (4, 6), (6, 8), (9, 11), (11, 13), (13, 15)], {8: b" "}) if width == 15 else (None, {})
    marks = {4: b".-/", 7: b".-/"}
    if width == 10:
        return date, marks
    marks |= {10: b"T ", 13: b":"}
    if width >= 19 and first[16:17] == b":":
        return [*date, (11, 13), (14, 16), (17, 19)], marks | {16: b":"}
    return ([*date, (11, 13), (14, 16)], marks) if width >= 16 else (None, {})


def _same(texts: np.ndarray, fixed: dict[int, bytes]) -> bool:
    return all(texts[0, at] in allowed and bool((texts[:, at] == texts[0, at]).all()) for at, allowed in fixed.items())


def _numbers(texts: np.ndarray, places: list[tuple[int, int]]) -> list[np.ndarray] | None:
    values = []
    for start, end in places:
        value = np.zeros(len(texts), np.int32)
        for at in range(start, end):
            digit = texts[:, at] - np.uint8(48)
            if digit.max() > 9:
                return None
            value = value * 10 + digit
        values.append(value)
    return values


def _civil(values: list[np.ndarray]) -> np.ndarray | None:
    """Days from the civil calendar (Howard Hinnant's algorithm), then the time of day; None if any date or time does not exist."""
    year, month, day = values[:3]
    none = np.zeros(1, np.int32)
    hour, minute, second = [*values[3:], none, none, none][:3]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    long = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int32)
    in_year = (month >= 1) & (month <= 12)
    real = in_year & (day >= 1) & (day <= long[np.where(in_year, month, 0)] + (leap & (month == 2)))
    if not (real & (year >= 1900) & (year <= 2200) & (hour < 24) & (minute < 60) & (second < 60)).all():
        return None
    shifted = year - (month <= 2)
    era, of_era = shifted // 400, shifted % 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
    return days.astype(np.int64) * DAY + (hour * 3600 + minute * 60 + second).astype(np.int64) * SECOND


def _with_zone(texts: np.ndarray, ns: np.ndarray, at: int) -> tuple[np.ndarray, bool] | None:
    """The rest of an ISO stamp, a fraction and a zone, where it is the same in every row."""
    rest = texts[0, at:].tobytes().decode("latin-1")
    if not rest:
        return ns, False
    if not (texts[:, at:] == texts[0, at:]).all():
        return None
    found = re.fullmatch(r"(\.\d+)?\s?(Z|[+-]\d{2}:?\d{2})?", rest)
    if not found:
        return None
    ns = ns + int((found[1] or ".")[1:10].ljust(9, "0"))
    return (ns - _offset(found[2]), True) if found[2] else (ns, False)


def _offset(zone: str) -> int:
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return (minutes if zone[0] == "+" else -minutes) * 60 * SECOND
