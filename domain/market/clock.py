"""Clocks: what the time stamps of a file mean. Each converts wall times to UTC and marks those it cannot read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from zoneinfo import available_timezones

import numpy as np

from domain.errors import unknown
from domain.market.zones import HOUR, SECOND, is_zone
from domain.market.zones import to_utc as zone_to_utc
from domain.registry import Registry

CHANGED = re.compile(r"(.+) until (\d{4}) then (.+)")
FIXED = re.compile(r"UTC([+-])(\d{1,2})(?::(\d{2}))?")


@dataclass(frozen=True)
class Clock:
    """A wall clock: ``zone``'s, set ``shift`` minutes ahead; from the year after ``until`` it is ``then`` that counts.

    >>> clock("mt5_us").title
    'MetaTrader, New York + 7 h'
    >>> clock("UTC+5:30").shift
    330
    >>> clock("mt5_eu until 2019 then mt5_us").title
    'MetaTrader server time (EET/EEST, EU DST dates), until 2019, then MetaTrader, New York + 7 h'
    >>> clock("Europe/Pargue")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no clock named 'Europe/Pargue'; did you mean 'Europe/Prague'?
    """

    key: str
    title: str
    description: str
    zone: str = "UTC"
    shift: int = 0
    until: int = 0
    then: Clock | None = None


CLOCKS: Registry[Clock] = Registry("clock")


def clock(key: str) -> Clock:
    """The clock of that key: a registered one, an IANA zone, a fixed offset ``UTC+2``, or ``A until YEAR then B`` (YEAR is A's last)."""
    if key in CLOCKS:
        return CLOCKS[key]
    if fixed := FIXED.fullmatch(key):
        minutes = int(fixed[2]) * 60 + int(fixed[3] or 0)
        if minutes <= 15 * 60:
            return Clock(key, key, f"{key} all year, no daylight saving.", shift=minutes if fixed[1] == "+" else -minutes)
    if changed := CHANGED.fullmatch(key):
        return changes(clock(changed[1]), int(changed[2]), clock(changed[3]))
    if is_zone(key):
        return Clock(key, key, f"The wall clock of {key}, daylight saving included.", zone=key)
    near = get_close_matches(key, available_timezones(), n=1)
    raise unknown("clock", key, near or [*CLOCKS, "any IANA zone", "UTC+2 or the like", "A until YEAR then B"])


def changes(first: Clock, until: int, then: Clock) -> Clock:
    """``first`` through the year ``until``, ``then`` from 1 January after it."""
    title = f"{first.title}, until {until}, then {then.title}"
    return Clock(f"{first.key} until {until} then {then.key}", title, f"{first.description} From {until + 1}: {then.description}", first.zone, first.shift, until, then)


def to_utc(naive_ns: np.ndarray, clock_or_key: Clock | str) -> tuple[np.ndarray, np.ndarray]:
    """The instants of wall times, and a mask of those the clock cannot read: they never happened, or happened twice and the order of
    the rows does not say which is which. (In order, with one step back inside the repeated hour: before it the first, after it the second.)

    >>> wall = np.array(["2024-03-10T02:30", "2024-07-10T17:00", "2024-11-03T01:30"], "datetime64[ns]").view(np.int64)
    >>> utc, bad = to_utc(wall, "America/New_York")
    >>> str(utc.view("datetime64[ns]")[1])[:16], bad.tolist()
    ('2024-07-10T21:00', [True, False, True])
    >>> to_utc(np.repeat(wall[2:], 2), "America/New_York")[1].tolist()
    [False, False]
    """
    this = clock(clock_or_key) if isinstance(clock_or_key, str) else clock_or_key
    naive_ns = np.asarray(naive_ns, np.int64)
    if this.then is None:
        return _on_clock(naive_ns - this.shift * 60 * SECOND, this.zone)
    later = naive_ns >= np.datetime64(f"{this.until + 1}-01-01", "ns").astype(np.int64)
    utc, bad = np.empty(len(naive_ns), np.int64), np.zeros(len(naive_ns), bool)
    utc[~later], bad[~later] = _on_clock(naive_ns[~later] - this.shift * 60 * SECOND, this.zone)
    utc[later], bad[later] = to_utc(naive_ns[later], this.then)
    return utc, bad


def _on_clock(wall_ns: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray]:
    if zone == "UTC":
        return wall_ns, np.zeros(len(wall_ns), bool)
    first, second = zone_to_utc(wall_ns, zone)
    bad = first > second
    twice = np.flatnonzero(first < second)
    runs = np.split(twice, np.flatnonzero((np.diff(twice) > 1) | (np.abs(np.diff(wall_ns[twice])) > 2 * HOUR)) + 1)
    for run in runs if len(twice) else ():
        back = np.flatnonzero(np.diff(wall_ns[run]) <= 0)
        if len(back) == 1:
            first[run[back[0] + 1 :]] = second[run[back[0] + 1 :]]
        else:
            bad[run] = True
    return first, bad


def _register(key: str, clock: Clock) -> None:
    CLOCKS.add(key, Clock(key, clock.title, clock.description, clock.zone, clock.shift, clock.until, clock.then))


_us = Clock("mt5_us", "MetaTrader, New York + 7 h", "Most brokers' servers: midnight is 17:00 New York, so daylight saving follows US dates.", "America/New_York", 420)
_eu = Clock("mt5_eu", "MetaTrader server time (EET/EEST, EU DST dates)", "Some brokers' servers: eastern European time, daylight saving on EU dates.", "Europe/Athens")
_london = Clock("Europe/London", "London - 5 h", "London set back five hours.", "Europe/London", -300)
_new_york = Clock("America/New_York", "New York", "The wall clock of New York.", "America/New_York")
_register("UTC", Clock("UTC", "UTC", "Time stamps are UTC already."))
_register("mt5_us", _us)
_register("mt5_eu", _eu)
_register("mt5_eu_us_2020", Clock("", "MetaTrader server time (EU DST dates to 2019, US from 2020)", "A server that changed its rule at the end of 2019.", _eu.zone, _eu.shift, 2019, _us))
_register("histdata", Clock("", "HistData", "HistData's ASCII files: New York with daylight saving through 2018, London - 5 h from 2019; not the fixed EST its pages name.", _new_york.zone, 0, 2018, _london))
