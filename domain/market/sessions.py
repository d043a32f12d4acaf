"""Sessions: the stretches of time in which a market is open, as sorted arrays in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from domain.errors import BadRequest
from domain.market.holidays import Holiday, dates_of
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, FIRST_YEAR, HOUR, LAST_YEAR, instants

NOWHERE = np.iinfo(np.int64).min
MINUTE = HOUR // 60


class Window(NamedTuple):
    """From ``opens`` to ``closes`` on the calendar's clock, minutes from midnight of the trade date; below 0 is the evening before."""

    opens: int
    closes: int


class Spans(NamedTuple):
    """Sorted stretches of time, UTC nanoseconds; ``day`` is the trade date of each, days since 1970."""

    opens: np.ndarray
    closes: np.ndarray
    day: np.ndarray


@dataclass(frozen=True)
class Calendar:
    """The sessions of a market: the same windows on every trade date, Monday to Friday, but for ``closed`` days.

    ``thin`` days are open by this calendar although the market may shut early or altogether: bars missing there are no fault.

    >>> day = np.datetime64("2024-07-10T00:00", "ns").astype(np.int64)          # a Wednesday
    >>> from domain.market.calendar import calendar
    >>> opens, closes = calendar("metal").sessions(day, day + DAY)
    >>> [str(t)[5:16] for t in np.concatenate([opens, closes]).view("datetime64[ns]")]
    ['07-09T22:00', '07-10T22:00', '07-10T21:00', '07-11T21:00']
    """

    name: str
    title: str
    zone: str
    windows: tuple[Window, ...]
    closed: tuple[Holiday, ...]
    thin: tuple[Holiday, ...]

    def sessions(self, start_ns: int, end_ns: int) -> tuple[np.ndarray, np.ndarray]:
        """Opens and closes of every session that overlaps [start, end), whole sessions, in order."""
        return _overlapping(self.table, start_ns, end_ns)

    def days(self, start_ns: int, end_ns: int) -> tuple[np.ndarray, np.ndarray]:
        """As ``sessions``, one row a trade date: from its first open to its last close, breaks inside included."""
        return _overlapping(self.day_table, start_ns, end_ns)

    def is_open(self, ts_ns: np.ndarray | int) -> np.ndarray:
        """Whether each instant lies in a session; at a close the market is shut, unless the next session opens right there."""
        return self.session_of(ts_ns)[0] != NOWHERE

    def session_of(self, ts_ns: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
        """Open and close of the session each instant lies in; ``NOWHERE`` in both where there is none."""
        ts_ns = np.asarray(ts_ns, np.int64)
        row = np.searchsorted(self.table.opens, ts_ns, side="right") - 1
        inside = (row >= 0) & (ts_ns < self.table.closes[row])
        return np.where(inside, self.table.opens[row], NOWHERE), np.where(inside, self.table.closes[row], NOWHERE)

    def knows(self, ts_ns: np.ndarray | int) -> np.ndarray:
        """Whether each instant lies in the years this calendar is made for."""
        ts_ns = np.asarray(ts_ns, np.int64)
        return (ts_ns >= self.table.opens[0]) & (ts_ns < self.table.closes[-1])

    def day_of(self, ts_ns: np.ndarray | int) -> np.ndarray:
        """Row of ``day_table`` of the trading day each instant lies in; of the next one where it lies between two."""
        ts_ns = np.asarray(ts_ns, np.int64)
        if not self.knows(ts_ns).all():
            raise BadRequest(f"the {self.name} calendar knows the years {FIRST_YEAR} to {LAST_YEAR}; there is a time outside them")
        return np.searchsorted(self.day_table.closes, ts_ns, side="right")

    def open_time(self, start_ns: np.ndarray | int, end_ns: np.ndarray | int) -> np.ndarray:
        """Nanoseconds the market is open in each [start, end)."""
        return self._open_before(end_ns) - self._open_before(start_ns)

    def is_thin(self, ts_ns: np.ndarray | int) -> np.ndarray:
        """Whether the trading day of each instant (the next, between two) is a thin one."""
        return self._thin_days[np.minimum(self.day_of(ts_ns), len(self._thin_days) - 1)]

    def stretches(self, start_ns: int, end_ns: int) -> tuple[np.ndarray, np.ndarray]:
        """As ``sessions``, with sessions that abut joined: the market opens at each open and shuts at each close."""
        opens, closes = self.sessions(start_ns, end_ns)
        apart = opens[1:] != closes[:-1]
        return opens[np.r_[True, apart][: len(opens)]], closes[np.r_[apart, True][: len(closes)]]

    def expected_opens(self, start_ns: int, end_ns: int, timeframe: Timeframe) -> np.ndarray:
        """The opens in [start, end) of the bars there should be: up to H1 on whole multiples of UTC, H4 and D1 from the open of the trading day.

        >>> day = np.datetime64("2024-07-10T00:00", "ns").astype(np.int64)
        >>> from domain.market.calendar import calendar
        >>> calendar("fx").expected_opens(day, day + DAY, Timeframe.named("H4")).view("datetime64[ns]").astype("datetime64[h]").astype(str).tolist()
        ['2024-07-10T01', '2024-07-10T05', '2024-07-10T09', '2024-07-10T13', '2024-07-10T17', '2024-07-10T21']
        """
        step = timeframe.nanoseconds
        opens, closes = self.sessions(start_ns, end_ns + step) if step <= HOUR else self.days(start_ns, end_ns + step)
        if timeframe.ends_with_session:
            grid = opens
        else:
            first = opens - opens % step if step <= HOUR else opens
            grid = _stepped(first, -((first - closes) // step), step)
        if len(self.windows) > 1:
            grid = np.unique(grid)
        return grid[(grid >= start_ns) & (grid < end_ns)]

    def holidays(self, start_ns: int, end_ns: int) -> dict[date, tuple[str, bool]]:
        """The closed and thin days between two instants: title, and whether the market is shut all day."""
        first, last = (int(t // DAY) + date(1970, 1, 1).toordinal() for t in (start_ns, end_ns))
        named = {**{day: (title, False) for day, title in _dates(self.thin).items()}, **{day: (title, True) for day, title in _dates(self.closed).items()}}
        return {day: what for day, what in sorted(named.items()) if first <= day.toordinal() <= last and day.weekday() < 5}

    @cached_property
    def table(self) -> Spans:
        """Every session of every year known."""
        first, last = np.datetime64(f"{FIRST_YEAR}-01-08"), np.datetime64(f"{LAST_YEAR}-12-24")
        days = np.arange(first, last).astype(np.int64)
        shut = np.array([day.toordinal() for day in _dates(self.closed)], np.int64) - date(1970, 1, 1).toordinal()
        days = days[((days + 3) % 7 < 5) & ~np.isin(days, shut)]
        opens = np.stack([instants(days * DAY + window.opens * MINUTE, self.zone) for window in self.windows], axis=1).ravel()
        closes = np.stack([instants(days * DAY + window.closes * MINUTE, self.zone) for window in self.windows], axis=1).ravel()
        return Spans(opens, closes, np.repeat(days, len(self.windows)))

    @cached_property
    def day_table(self) -> Spans:
        """One row a trade date."""
        n = len(self.windows)
        return Spans(self.table.opens[::n], self.table.closes[n - 1 :: n], self.table.day[::n])

    @cached_property
    def _thin_days(self) -> np.ndarray:
        return np.isin(self.day_table.day, [day.toordinal() - date(1970, 1, 1).toordinal() for day in _dates(self.thin)])

    @cached_property
    def _open_so_far(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.table.closes - self.table.opens)])

    def _open_before(self, ts_ns: np.ndarray | int) -> np.ndarray:
        ts_ns = np.asarray(ts_ns, np.int64)
        row = np.searchsorted(self.table.closes, ts_ns, side="right")
        begun = ts_ns - self.table.opens[np.minimum(row, len(self.table.opens) - 1)]
        return self._open_so_far[row] + np.maximum(begun, 0) * (row < len(self.table.opens))


def _overlapping(spans: Spans, start_ns: int, end_ns: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.searchsorted(spans.closes, start_ns, side="right"), np.searchsorted(spans.opens, end_ns, side="left")
    return spans.opens[low:high], spans.closes[low:high]


def _stepped(first: np.ndarray, counts: np.ndarray, step: int) -> np.ndarray:
    """``first[k] + step * 0 … counts[k] - 1`` for every k, one after the other."""
    before = np.cumsum(counts) - counts
    return np.repeat(first - before * step, counts) + np.arange(counts.sum(), dtype=np.int64) * step


@cache
def _dates(holidays: tuple[Holiday, ...]) -> dict[date, str]:
    return {day: holiday.name for holiday in holidays for day in dates_of(holiday, FIRST_YEAR, LAST_YEAR)}
