"""Days on which a market is shut, or opens for some hours only, as rules from a year to a date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True)
class Holiday:
    """A day of the year. ``on(year)`` is its date, or None where it was not kept.

    >>> good_friday.on(2024), thanksgiving.on(2024), juneteenth.on(2020)
    (datetime.date(2024, 3, 29), datetime.date(2024, 11, 28), None)
    """

    title: str
    on: Callable[[int], date | None]


def fixed(title: str, month: int, day: int, since: int = 0) -> Holiday:
    """The same day of every year, whatever weekday it is."""
    return Holiday(title, lambda year: date(year, month, day) if year >= since else None)


def observed(title: str, month: int, day: int, since: int = 0, saturday_before: bool = True) -> Holiday:
    """A day kept on Monday when it falls on a Sunday, and on Friday (unless told not to) when it falls on a Saturday.

    >>> observed("Christmas", 12, 25).on(2022), observed("Christmas", 12, 25).on(2021)
    (datetime.date(2022, 12, 26), datetime.date(2021, 12, 24))
    """

    def on(year: int) -> date | None:
        day_itself = date(year, month, day)
        shift = {SUNDAY: 1, SATURDAY: -1 if saturday_before else 0}.get(day_itself.weekday(), 0)
        return day_itself + timedelta(days=shift) if year >= since else None

    return Holiday(title, on)


def weekday_of_month(title: str, month: int, weekday: int, which: int, since: int = 0) -> Holiday:
    """The ``which``-th weekday of a month, -1 for the last (Monday is 0).

    >>> weekday_of_month("Memorial Day", 5, 0, -1).on(2024)
    datetime.date(2024, 5, 27)
    """

    def on(year: int) -> date | None:
        if which < 0:
            last = date(year, month + 1, 1) - timedelta(days=1)
            return last - timedelta(days=(last.weekday() - weekday) % 7)
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1)) if year >= since else None

    return Holiday(title, on)


def after(title: str, holiday: Holiday, days: int) -> Holiday:
    """A day counted from another one."""

    def on(year: int) -> date | None:
        day = holiday.on(year)
        return day + timedelta(days=days) if day else None

    return Holiday(title, on)


def easter(year: int) -> date:
    """Easter Sunday, Gregorian (the anonymous algorithm printed in Nature, 1876).

    >>> [easter(year).isoformat() for year in (2000, 2019, 2024, 2038)]
    ['2000-04-23', '2019-04-21', '2024-03-31', '2038-04-25']
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    shift = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * shift) // 451
    month, day = divmod(h + shift - 7 * m + 114, 31)
    return date(year, month, day + 1)


new_year = fixed("New Year", 1, 1)
christmas = fixed("Christmas", 12, 25)
good_friday = Holiday("Good Friday", lambda year: easter(year) - timedelta(days=2))
new_year_observed = observed("New Year", 1, 1, saturday_before=False)
christmas_observed = observed("Christmas", 12, 25)
juneteenth = observed("Juneteenth", 6, 19, since=2022)
thanksgiving = weekday_of_month("Thanksgiving", 11, 3, 4)

YEAR_END = (fixed("Christmas Eve", 12, 24), fixed("Boxing Day", 12, 26), fixed("New Year's Eve", 12, 31), fixed("day after New Year", 1, 2))
US_HOLIDAYS = (
    weekday_of_month("Martin Luther King Day", 1, 0, 3, since=1998),
    weekday_of_month("Presidents' Day", 2, 0, 3),
    weekday_of_month("Memorial Day", 5, 0, -1),
    juneteenth,
    observed("Independence Day", 7, 4),
    fixed("eve of Independence Day", 7, 3),
    weekday_of_month("Labor Day", 9, 0, 1),
    thanksgiving,
    after("day after Thanksgiving", thanksgiving, 1),
)
