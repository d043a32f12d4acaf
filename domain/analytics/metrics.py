"""The metrics of a run, each with its definition, unit and source, from its trades, fills and equity.

Risk metrics are computed on the returns of trading days, annualised by the trading days a year of the account's calendar: see ``daily``. A ratio over
a base that is not above zero, or over a deviation that is only rounding, has no value: see ``guards``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import returns
from domain.analytics.daily import USUAL, daily_sharpe, day_returns, days_a_year, enough, from_last_to_last, nanoseconds
from domain.analytics.falls import Falls, falls_of
from domain.analytics.guards import finite, over, over_positive
from domain.market.sessions import Calendar
from domain.registry import Registry

DAY = 86_400_000_000_000        # nanoseconds
CALENDAR_DAYS = 365.25          # of a year
UNITS = ("share", "money", "ratio", "R", "trades", "bars", "days", "price")
FAMILIES = {"result": "Return", "risk": "Risk", "trades": "Trades", "tails": "Distribution", "costs": "Costs"}


@dataclass(frozen=True)
class Metric:
    """``unit``: share (1 is 100 %), money (account currency), ratio, R, trades, bars, days, price. ``family``: a key of FAMILIES."""

    key: str
    title: str
    unit: str
    definition: str
    value: Callable[[Facts], float]
    source: str = ""
    family: str = "result"


METRICS: Registry[Metric] = Registry("metric")


@dataclass(frozen=True)
class Facts:
    """The input of every metric; values that several need are computed once."""

    start: float
    ts: np.ndarray              # nanoseconds
    equity: np.ndarray          # at each row
    low: np.ndarray             # at the adverse extreme
    balance: np.ndarray         # closed trades only
    trades: pd.DataFrame
    spread_cost: float
    slippage_cost: float
    mean_spread: float
    market: Calendar            # of the account: its trading days

    @property
    def net(self) -> float:
        return float(self.equity[-1] - self.start)

    @property
    def years(self) -> float:
        return float(self.ts[-1] - self.ts[0]) / DAY / CALENDAR_DAYS

    @property
    def days_a_year(self) -> float:
        """Trading days."""
        return days_a_year(self.market.name)

    @property
    def lost(self) -> bool:
        """Nothing was left at some row, or to begin with."""
        return not min(self.start, float(self.equity.min())) > 0

    @cached_property
    def fallen(self) -> Falls:
        """How far equity and balance fell below their highest values so far."""
        return falls_of(self.ts, self.equity, self.low, self.balance, self.start)

    @property
    def drawdowns(self) -> tuple[float, float]:
        """Deepest fall of equity below its highest value so far, at the closes of bars and at their adverse extremes; shares, 0 or less."""
        return self.fallen.equity, self.fallen.low

    @cached_property
    def daily(self) -> np.ndarray:
        """Returns of trading days, share; NaN from the first day that began with nothing."""
        return day_returns(self.ts, self.equity, self.start, self.market)[1]

    @cached_property
    def daily_sharpe(self) -> float:
        """Not annualised."""
        return daily_sharpe(self.daily)

    @property
    def usable_daily(self) -> np.ndarray:
        """Daily returns, or none where they are too few or the account was lost."""
        return enough(self.daily)

    @property
    def known_days(self) -> np.ndarray:
        """Daily returns of the days that have one."""
        return self.daily[~np.isnan(self.daily)]

    @cached_property
    def pnl(self) -> np.ndarray:
        return self.trades["pnl"].to_numpy(float)

    @cached_property
    def won(self) -> np.ndarray:
        """Of the trades above 0."""
        return self.pnl[self.pnl > 0]

    @cached_property
    def lost_on(self) -> np.ndarray:
        """Of the trades below 0."""
        return self.pnl[self.pnl < 0]

    @cached_property
    def pnl_in_order(self) -> np.ndarray:
        """Of the trades in the order in which they ended."""
        return self.pnl[np.argsort(nanoseconds(self.trades["exit_ts"]), kind="stable")] if "exit_ts" in self.trades else self.pnl

    @cached_property
    def r(self) -> np.ndarray:
        """R of the trades that have one."""
        r = self.trades["r"].to_numpy(float)
        return r[np.isfinite(r)]


def metric(title: str, unit: str, definition: str, family: str = "result", source: str = "") -> Callable:
    """Registers ``function(facts)`` under its name."""

    def register(function: Callable[[Facts], float]) -> Callable[[Facts], float]:
        METRICS.add(function.__name__, Metric(function.__name__, title, unit, definition, function, source, family))
        return function

    return register


def measure(
    trades: pd.DataFrame, fills: pd.DataFrame | Mapping[str, Any], equity: pd.DataFrame, start: float, mean_spread: float = np.nan, market: Calendar = USUAL
) -> dict[str, float | None]:
    """Every metric of a run; None where it has no value (no trade, no time, nothing lost). ``market``: the account's calendar, see ``account_calendar``."""
    if equity.empty:
        return {key: None for key in METRICS}
    facts = facts_of(trades, fills, equity, start, mean_spread, market)
    with np.errstate(all="ignore"):
        return {key: finite(METRICS[key].value(facts)) for key in METRICS}


def facts_of(trades: pd.DataFrame, fills: pd.DataFrame | Mapping[str, Any], equity: pd.DataFrame, start: float, mean_spread: float = np.nan, market: Calendar = USUAL) -> Facts:
    value, low, balance = (equity[name if name in equity else "equity"].to_numpy(float) for name in ("equity", "equity_low", "balance"))
    spread, slippage = (float(fills[name].sum()) for name in ("spread_cost", "slippage_cost"))
    return Facts(start, nanoseconds(equity["ts"]), value, low, balance, trades, spread, slippage, mean_spread, market)


# -- return -----------------------------------------------------------------------------------------------------------

CLOCK = "Days are trading days of the account's session calendar (spot FX: 17:00 New York to 17:00, 259.5 a year)."


@metric("Net return", "share", "Net profit over the starting balance, after spread, slippage, commission and swap.")
def net_return(f: Facts) -> float:
    return over_positive(f.net, f.start)


@metric("Net profit", "money", "Final equity less the starting balance, after all costs.")
def net_profit(f: Facts) -> float:
    return f.net


@metric("CAGR", "share", "Compound annual growth rate: (final equity ÷ starting balance)^(1 ÷ years) − 1, in calendar years. From 30 days on.")
def annual_return(f: Facts) -> float:
    if f.years * CALENDAR_DAYS < 30 or f.equity[-1] <= 0 or f.start <= 0:
        return np.nan
    return (f.equity[-1] / f.start) ** (1.0 / f.years) - 1.0


@metric("Best day", "share", "Highest return of a trading day.")
def best_day(f: Facts) -> float:
    return float(f.known_days.max(initial=-np.inf))


@metric("Worst day", "share", "Lowest return of a trading day, at its end.")
def worst_day(f: Facts) -> float:
    return float(f.known_days.min(initial=np.inf))


@metric("Winning days", "share", "Trading days with a return above 0, of those on which equity moved. Days that began with nothing left have no return.")
def winning_days(f: Facts) -> float:
    return over(float((f.known_days > 0).sum()), float((f.known_days != 0).sum()))


# -- risk -------------------------------------------------------------------------------------------------------------


@metric("Max drawdown", "share", "Largest fall of equity below its highest value so far, at bar closes.", "risk")
def max_drawdown(f: Facts) -> float:
    return f.drawdowns[0]


@metric("Max drawdown, intrabar", "share", "Largest fall below the highest closing equity, at the adverse extreme of each bar.", "risk")
def max_drawdown_low(f: Facts) -> float:
    return f.drawdowns[1]


@metric("Max drawdown, balance", "share", "Largest fall of the balance below its highest value so far: closed trades only, without open losses.", "risk")
def max_drawdown_closed(f: Facts) -> float:
    return f.fallen.balance


@metric("Longest drawdown", "days", "Longest time from a high of equity until it is reached again, or to the end; calendar days.", "risk")
def longest_drawdown(f: Facts) -> float:
    return float(f.fallen.longest) / DAY


@metric("Recovery factor", "ratio", "Net profit over the largest fall of equity in money, at bar closes.", "risk")
def recovery_factor(f: Facts) -> float:
    return over(f.net, f.fallen.money, f.fallen.size)


@metric("Volatility (ann.)", "share", f"Standard deviation of daily returns × √trading days a year. From 20 days on. {CLOCK}", "risk")
def annual_volatility(f: Facts) -> float:
    return returns.annual_volatility(f.usable_daily, f.days_a_year)


@metric(
    "Downside deviation (ann.)", "share", f"√ of the mean squared daily loss, a winning day counting as 0, × √trading days a year. From 20 days on. {CLOCK}", "risk",
    "Sortino & Price (1994)",
)  # fmt: skip
def downside_risk(f: Facts) -> float:
    return returns.downside_risk(f.usable_daily, 0.0, f.days_a_year)


@metric(
    "Sharpe", "ratio", f"Mean over standard deviation of daily returns, × √trading days a year. No risk-free rate is taken off. From 20 days on. {CLOCK}", "risk",
    "Sharpe (1994), The Sharpe Ratio",
)  # fmt: skip
def sharpe(f: Facts) -> float:
    return f.daily_sharpe * np.sqrt(f.days_a_year)


@metric(
    "Sortino", "ratio", f"Mean daily return × trading days a year, over the annualised downside deviation. From 20 days on. {CLOCK}", "risk",
    "Sortino & Price (1994), Performance Measurement in a Downside Risk Framework",
)  # fmt: skip
def sortino(f: Facts) -> float:
    return returns.sortino(f.usable_daily, 0.0, f.days_a_year)


@metric("Calmar", "ratio", "CAGR over the size of the max drawdown at bar closes.", "risk", "Young (1991), Calmar Ratio: A Smoother Tool")
def calmar(f: Facts) -> float:
    return over(annual_return(f), -max_drawdown(f), 1.0)


@metric("Omega", "ratio", "Sum of gains over sum of losses of daily returns (trading days), from 0. From 20 days on.", "risk", "Keating & Shadwick (2002), A Universal Performance Measure")
def omega(f: Facts) -> float:
    return returns.omega(f.usable_daily)


@metric("VaR (daily, 95 %)", "share", "The 5 % quantile of daily returns (trading days). From 20 days on.", "risk", "historical simulation, 95 %")
def value_at_risk(f: Facts) -> float:
    return returns.value_at_risk(f.usable_daily)


@metric(
    "Expected shortfall (daily, 95 %)", "share", "Mean of the worst 5 % of daily returns (trading days). From 20 days on.", "risk",
    "Rockafellar & Uryasev (2000), Optimization of Conditional Value-at-Risk",
)  # fmt: skip
def expected_shortfall(f: Facts) -> float:
    return returns.conditional_value_at_risk(f.usable_daily)


@metric("Tail ratio", "ratio", "Size of the 95 % quantile over size of the 5 % quantile of daily returns (trading days): above 1, good days are larger than bad ones. From 20 days on.", "risk")
def tail_ratio(f: Facts) -> float:
    return returns.tail_ratio(f.usable_daily)


@metric("Stability (R²)", "share", "R² of a straight line through the logarithm of equity at the ends of trading days: 1 is even growth or even loss. From 20 days on.", "risk")
def stability(f: Facts) -> float:
    return returns.stability(f.usable_daily)


def monthly(equity: pd.DataFrame, start: float) -> pd.DataFrame:
    """``year, month, share``: net return of each month (UTC), month 0 the full year; NaN for a period that began with nothing left, or after it.
    A row at midnight belongs to the day that ends then.

    >>> ends = pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-31"], utc=True)
    >>> monthly(pd.DataFrame(dict(ts=ends, equity=[110.0, -11.0, 5.0])), 100.0).round(9).to_numpy().tolist()
    [[2024.0, 1.0, 0.1], [2024.0, 2.0, -1.1], [2024.0, 3.0, nan], [2024.0, 0.0, -0.95]]
    """
    last = equity.set_index(equity["ts"] - pd.Timedelta(1, "ns"))["equity"].resample("ME").last().ffill()
    months = pd.DataFrame(dict(year=last.index.year, month=last.index.month, share=from_last_to_last(last.to_numpy(float), start)))
    yearly = last.groupby(last.index.year).last()
    years = pd.DataFrame(dict(year=yearly.index, month=0, share=from_last_to_last(yearly.to_numpy(float), start)))
    return pd.concat([months, years], ignore_index=True)


def summary_of(metrics: Mapping[str, Any]) -> str:
    """One line for lists and logs."""
    return f"{metrics['trades']:.0f} trades, net {metrics['net_return']:+.1%}" if metrics.get("trades") else "no trades"
