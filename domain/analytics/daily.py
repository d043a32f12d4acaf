"""Daily returns of an account and its daily Sharpe ratio: the one place where they are computed.

A day is a trading day of the session calendar (17:00 New York to 17:00 New York in spot FX), so that a path has the same days whatever the
timeframe of its bars: the hours of Sunday evening belong to Monday. A row of equity belongs to the trading day that ends at it or after it. An
account of several instruments has the calendar with the most trading days a year among theirs; of equals the one whose day ends last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import returns
from domain.market.bars import nanoseconds as nanoseconds
from domain.market.calendar import calendar
from domain.market.sessions import Calendar
from domain.market.zones import DAY, FIRST_YEAR, LAST_YEAR

FEWEST_DAYS = 20        # daily returns needed for a figure of them
USUAL = calendar("fx")  # of an account whose instruments are not known


def account_calendar(names: Iterable[str]) -> Calendar:
    """The calendar of an account that trades instruments with these calendars; ``USUAL`` where none is named.

    >>> account_calendar(["grain", "fx", "index"]).name, account_calendar(["grain", "cme"]).name
    ('fx', 'cme')
    """
    markets = [calendar(name) for name in dict.fromkeys(names)]
    return max(markets, key=lambda market: (days_a_year(market.name), int(market.day_table.closes[0] % DAY), market.name), default=USUAL)


def calendar_of(spec: Mapping[str, Any]) -> Calendar:
    """The calendar of an account, from the stored spec of its run.

    >>> calendar_of(dict(instruments=dict(US500=dict(calendar="index")))).name, calendar_of({}).name
    ('index', 'fx')
    """
    return account_calendar(instrument["calendar"] for instrument in spec.get("instruments", {}).values())


@cache
def days_a_year(name: str) -> float:
    """How many trading days a year of that calendar has on average, its holidays left out.

    >>> round(days_a_year("fx"), 1), round(days_a_year("index"), 1)
    (259.5, 258.0)
    """
    years = calendar(name).day_table.day.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    return float(((years > FIRST_YEAR) & (years < LAST_YEAR)).sum() / (LAST_YEAR - FIRST_YEAR - 1))


def trade_dates(ts: np.ndarray, market: Calendar = USUAL) -> np.ndarray:
    """The date of the trading day that ends at each instant or after it: days since 1970.

    >>> sunday_evening = np.array(["2024-07-07T22:00", "2024-07-08T21:00", "2024-07-08T21:05"], "datetime64[ns]").view(np.int64)
    >>> trade_dates(sunday_evening).astype("datetime64[D]").astype(str).tolist()
    ['2024-07-08', '2024-07-08', '2024-07-09']
    """
    days = market.day_table
    return days.day[np.minimum(np.searchsorted(days.closes, ts, side="left"), len(days.day) - 1)]


def last_rows(ts: np.ndarray, market: Calendar = USUAL) -> tuple[np.ndarray, np.ndarray]:
    """Trading days that have a row (dates as days since 1970), and the last row of each; ``ts`` in order."""
    if not len(ts):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    days = market.day_table
    first, last = np.minimum(np.searchsorted(days.closes, ts[[0, -1]], side="left"), len(days.day) - 1)
    until = np.append(np.searchsorted(ts, days.closes[first:last], side="right"), len(ts))      # rows up to the end of each day
    traded = np.flatnonzero(np.diff(until, prepend=0))
    return days.day[first + traded], until[traded] - 1


def day_returns(ts: np.ndarray, equity: np.ndarray, start: float, market: Calendar = USUAL) -> tuple[np.ndarray, np.ndarray]:
    """Dates of the trading days that have a row, as days since 1970, and the return of each."""
    dates, rows = last_rows(ts, market)
    return dates, from_last_to_last(equity[rows], start)


def from_last_to_last(last: np.ndarray, start: float) -> np.ndarray:
    """Returns from the last equity of one period to that of the next; NaN once nothing was left.

    >>> from_last_to_last(np.array([110.0, 0.0, 5.0]), 100.0).round(12).tolist()
    [0.1, -1.0, nan]
    """
    before = before_each(last, start)
    if len(before) and before.min() > 0.0:
        return last / before - 1.0
    alive = np.minimum.accumulate(before) > 0
    with np.errstate(all="ignore"):
        return np.where(alive, last / before - 1.0, np.nan)


def before_each(last: np.ndarray, start: float) -> np.ndarray:
    """The equity that each period began with.

    >>> before_each(np.array([110.0, 99.0]), 100.0).tolist()
    [100.0, 110.0]
    """
    before = np.empty(len(last))
    before[:1], before[1:] = start, last[:-1]
    return before


def daily_returns(equity: pd.DataFrame, start: float, market: Calendar = USUAL) -> pd.Series:
    """Return of each trading day that has a row, by its date, as a share; the first against ``start``. NaN once the account is lost.

    >>> ts = pd.to_datetime(["2024-01-02T12:00Z", "2024-01-02T22:00Z", "2024-01-02T22:05Z"])
    >>> daily_returns(pd.DataFrame(dict(ts=ts, equity=[105.0, 110.0, 99.0])), 100.0).round(12).to_dict()
    {Timestamp('2024-01-02 00:00:00'): 0.1, Timestamp('2024-01-03 00:00:00'): -0.1}
    """
    dates, share = day_returns(nanoseconds(equity["ts"]), equity["equity"].to_numpy(float), start, market)
    return pd.Series(share, pd.DatetimeIndex((dates * DAY).view("datetime64[ns]"), name="day"), name="share")


def enough(daily: np.ndarray) -> np.ndarray:
    """Daily returns that figures may be computed from: none where they are too few or the account was lost."""
    return daily if len(daily) >= FEWEST_DAYS and not np.isnan(daily).any() else np.zeros(0)


def daily_sharpe(daily: np.ndarray) -> float:
    """Sharpe ratio of daily returns, not annualised; NaN where they are too few, vary by nothing but rounding, or the account was lost.

    >>> round(daily_sharpe(np.array([0.02, 0.0] * 10)), 6), daily_sharpe(np.array([0.01] * 20))
    (0.974679, nan)
    """
    sharpe = returns.excess_sharpe(enough(daily))
    return sharpe if np.isfinite(sharpe) else np.nan
