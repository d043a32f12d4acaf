"""Figures over time: rolling Sharpe and volatility, results by day, exposure and leverage."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.analytics.daily import USUAL, from_last_to_last, last_rows, nanoseconds
from domain.analytics.trades import directions, point_value
from domain.market.sessions import Calendar
from domain.market.zones import DAY
from domain.rounding import ROUNDING

WINDOWS = {21: "1 month", 63: "3 months", 126: "6 months", 252: "1 year"}      # trading days
ROLLING = "Of the daily returns of the window that ends on that trading day: mean ÷ standard deviation × √trading days a year, and standard deviation × √trading days a year. No value before the first whole window, or where returns do not vary."
EXPOSURE = "Open lots × entry price in account currency, at bar closes, over equity: leverage counts long and short together, net exposure takes short from long. What opens and closes within one bar is not seen."


def rolling_risk(daily: pd.Series, window: int, year: float) -> pd.DataFrame:
    """``day, sharpe, volatility`` of each ``window`` of daily returns, annualised by ``year`` trading days; NaN where there is no value.

    >>> days = pd.date_range("2024-01-01", periods=4)
    >>> rolling_risk(pd.Series([0.01, 0.03, 0.01, 0.03], days), 2, 4.0)["sharpe"].round(6).tolist()
    [nan, 2.828427, 2.828427, 2.828427]
    """
    rows = daily.rolling(window)
    spread, size = rows.std(), daily.abs().rolling(window).max()
    spread = spread.where(spread > ROUNDING * size)
    return pd.DataFrame(dict(day=daily.index, sharpe=(rows.mean() / spread * np.sqrt(year)).to_numpy(), volatility=(spread * np.sqrt(year)).to_numpy()))


def daily_results(equity: pd.DataFrame, start: float, market: Calendar = USUAL) -> pd.DataFrame:
    """``day, net, share``: change of equity on each trading day, in money and as a share of the equity before it (NaN once nothing was left).

    >>> ts = pd.to_datetime(["2024-01-02T12:00Z", "2024-01-03T12:00Z"])
    >>> daily_results(pd.DataFrame(dict(ts=ts, equity=[110.0, 99.0])), 100.0)["net"].tolist()
    [10.0, -11.0]
    """
    dates, rows = last_rows(nanoseconds(equity["ts"]), market)
    last = equity["equity"].to_numpy(float)[rows]
    return pd.DataFrame(dict(day=(dates * DAY).view("datetime64[ns]"), net=np.diff(last, prepend=start), share=from_last_to_last(last, start)))


def exposure_curve(trades: pd.DataFrame, fills: pd.DataFrame, equity: pd.DataFrame) -> pd.DataFrame:
    """``ts, leverage, net`` at each row of equity: notional of the open lots over equity, long and short together and long less short.

    NaN where equity is not above 0. See ``EXPOSURE``.
    """
    value = equity["equity"].to_numpy(float)
    base = np.where(value > 0, value, np.nan)
    gross, net = _open_notional(trades, fills)
    at = np.searchsorted(nanoseconds(fills["ts"]), nanoseconds(equity["ts"]), side="right")
    return pd.DataFrame(dict(ts=equity["ts"], leverage=gross[at] / base, net=net[at] / base))


def exposure_spans(curve: pd.DataFrame, most: int = 300) -> pd.DataFrame:
    """``ts, bars, mean, highest, net_low, net_mean, net_high``: an exposure curve over at most ``most`` spans of as many bars each, ``ts`` the first of each: no extreme is lost.

    >>> ts = pd.date_range("2024-01-01", periods=4, tz="UTC")
    >>> spans = exposure_spans(pd.DataFrame(dict(ts=ts, leverage=[0.0, 2.0, 4.0, 0.0], net=[0.0, -2.0, 4.0, 0.0])), 2)
    >>> spans[["bars", "mean", "highest", "net_low", "net_high"]].to_numpy().tolist()
    [[2.0, 1.0, 2.0, -2.0, 0.0], [2.0, 2.0, 4.0, 0.0, 4.0]]
    """
    size = max(-(-len(curve) // most), 1)
    spans = curve.groupby(np.arange(len(curve)) // size)
    table = spans.agg(ts=("ts", "first"), bars=("ts", "size"), mean=("leverage", "mean"), highest=("leverage", "max"), net_low=("net", "min"), net_mean=("net", "mean"), net_high=("net", "max"))
    return table.reset_index(drop=True)


def _open_notional(trades: pd.DataFrame, fills: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Notional after each number of fills, from 0 on: of both sides together, and of long less short."""
    a_lot = point_value(trades) / trades["lots"].to_numpy(float) * trades["entry_price"].to_numpy(float)
    place = pd.Index(trades["trade_id"]).get_indexer(fills["trade_id"])
    signed = np.where((fills["side"] == "buy").to_numpy(bool), 1.0, -1.0) * fills["lots"].to_numpy(float) * a_lot[place]
    own = signed * directions(trades)[place]
    return tuple(_steps(np.where(np.isfinite(part), part, 0.0)) for part in (own, signed))      # type: ignore[return-value]


def _steps(changes: np.ndarray) -> np.ndarray:
    """The sum after each change, without what is only rounding of it."""
    total = np.concatenate(([0.0], np.cumsum(changes)))
    return np.where(np.abs(total) > ROUNDING * np.abs(total).max(initial=0.0), total, 0.0)


def in_calendar(days: pd.DataFrame) -> pd.DataFrame:
    """The results by day with the place of each in a calendar: ``year``, ``week`` (from the year's first Monday's week, 0 on) and ``weekday`` (0 is Monday)."""
    day = days["day"].dt
    first = pd.to_datetime(day.year.astype(str) + "-01-01")
    return days.assign(year=day.year, week=(day.day_of_year - 1 + first.dt.day_of_week) // 7, weekday=day.day_of_week)


