"""Nights, days, blackouts and moments to be flat, of one moment at a time: the same numbers as whole columns have, from stretches of the calendar
that all accounts of a process share."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import lru_cache

import numpy as np

from domain.backtest.clocks import NEVER, flat_moments, rolls_of
from domain.backtest.limit_tables import blackouts, day_ends
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY

STRETCH = 64        # days


def nights_between(after: int, until: int, triple_day: str) -> int:
    """Swap nights of the rolls after one moment and not after the other, as the kernel counts them: in a byte.

    >>> hours = np.array(["2024-07-10T20:00", "2024-07-10T21:00", "2024-07-11T21:00"], "datetime64[ns]").astype(np.int64).tolist()
    >>> nights_between(hours[0], hours[1], "wednesday"), nights_between(hours[1], hours[2], "wednesday")
    (3, 1)
    """
    first, last = after // DAY - 1, until // DAY + 2
    if last - first < STRETCH:
        moments, nights = _rolls(first // STRETCH, triple_day)
    else:
        moments, nights = (column.tolist() for column in rolls_of(np.arange(first, last), triple_day))
    total = sum(nights[bisect_right(moments, after) : bisect_right(moments, until)])
    return (total + 128) % 256 - 128


@lru_cache(maxsize=256)
def _rolls(stretch: int, triple_day: str) -> tuple[list[int], list[int]]:
    rolls, nights = rolls_of(np.arange(stretch * STRETCH, (stretch + 2) * STRETCH), triple_day)
    return rolls.tolist(), nights.tolist()


def day_number(text: str, moment: int) -> int:
    """The day of the moment, as ``limit_tables.day_numbers`` counts it.

    >>> from domain.backtest.limit_tables import day_numbers
    >>> at = np.array(["2024-07-11T20:59", "2024-07-11T21:00", "2024-07-11T21:01"], "datetime64[ns]").astype(np.int64)
    >>> [day_number("17:00 America/New_York", moment) for moment in at.tolist()] == day_numbers("17:00 America/New_York", at).tolist()
    True
    """
    stretch = moment // DAY // STRETCH
    return stretch * STRETCH - 3 + bisect_left(_day_ends(text, stretch), moment)


@lru_cache(maxsize=256)
def _day_ends(text: str, stretch: int) -> list[int]:
    return day_ends(text, np.arange(stretch * STRETCH - 3, (stretch + 1) * STRETCH + 4)).tolist()


def is_dark(text: str, moment: int) -> bool:
    """Whether the moment is in a window without entries.

    >>> noon = 19_915 * DAY + DAY // 2
    >>> is_dark("12:00-12:35 UTC", noon), is_dark("12:00-12:35 UTC", noon - 1)
    (True, False)
    """
    opens, closes = _windows(text, moment // DAY // STRETCH)
    last = bisect_right(opens, moment) - 1
    return last >= 0 and moment < closes[last]


@lru_cache(maxsize=256)
def _windows(text: str, stretch: int) -> tuple[list[int], list[int]]:
    rows = blackouts(text, stretch * STRETCH * DAY, (stretch + 1) * STRETCH * DAY)
    return rows[:, 0].tolist(), rows[:, 1].tolist()


@lru_cache(maxsize=4096)
def flat_moment(text: str, day: int, timeframe: Timeframe, calendar: str) -> tuple[tuple[int, int], tuple[int, int], int]:
    """For fills on a day (since 1970): when they must be flat and the shut before that, for those before a moment and for those from it on; that moment."""
    edges = np.array([day * DAY, (day + 1) * DAY - 1])
    at, shut = (column.tolist() for column in flat_moments(text, edges, timeframe, calendar))
    return (at[0], shut[0]), (at[1], shut[1]), at[0] if at[0] < (day + 1) * DAY else NEVER


def flat_at(text: str, ts: int, timeframe: Timeframe, calendar: str) -> tuple[int, int]:
    """For a position filled in the bar that opens at ``ts``: as ``clocks.flat_moments``.

    >>> friday = 19_916 * DAY + 10 * DAY // 24
    >>> flat_at("Fri 17:00 America/New_York", friday, Timeframe.named("H1"), "fx") == (19_916 * DAY + 21 * DAY // 24,) * 2
    True
    """
    before, after, moment = flat_moment(text, ts // DAY, timeframe, calendar)
    return before if ts < moment else after
