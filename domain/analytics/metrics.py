"""The figures of a run, each with its definition, unit and source, from its trades, fills and equity.

Risk figures are computed on daily returns: from the last equity row of one UTC day to that of the next, on the days that have a row. A row
belongs to the day that ends at it or after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import returns
from domain.analytics.drawdowns import running_peak, spells
from domain.registry import Registry

DAY = 86_400_000_000_000        # nanoseconds
DAYS_A_YEAR = 365.25
FEWEST_DAYS = 20                # of daily returns, under which they say nothing
UNITS = ("share", "money", "ratio", "R", "trades", "bars", "days", "price")
FAMILIES = {"result": "What was earned", "risk": "What it was earned with", "trades": "The trades", "tails": "Where profit and loss sit", "costs": "What it cost"}


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
    """What every figure is computed from; what several need is computed once."""

    start: float
    ts: np.ndarray              # nanoseconds
    equity: np.ndarray          # at each row
    low: np.ndarray             # at the adverse extreme
    balance: np.ndarray         # closed trades only
    trades: pd.DataFrame
    spread_cost: float
    slippage_cost: float
    mean_spread: float

    @property
    def net(self) -> float:
        return float(self.equity[-1] - self.start)

    @property
    def years(self) -> float:
        return float(self.ts[-1] - self.ts[0]) / DAY / DAYS_A_YEAR

    @cached_property
    def peak(self) -> np.ndarray:
        return running_peak(self.equity, self.start)

    @cached_property
    def falls(self) -> tuple[float, float]:
        """Deepest fall of equity below its highest value so far, at the closes of bars and at their adverse extremes; shares, 0 or less."""
        return tuple(min(float((curve / self.peak).min()) - 1.0, 0.0) for curve in (self.equity, self.low))      # type: ignore[return-value]

    @cached_property
    def daily(self) -> np.ndarray:
        """Returns from day to day, share; NaN from the first day on which nothing was left."""
        return day_returns(self.ts, self.equity, self.start)[1]

    @property
    def judged(self) -> np.ndarray:
        """Daily returns, or none where they are too few or the account was lost."""
        return self.daily if len(self.daily) >= FEWEST_DAYS and not np.isnan(self.daily).any() else np.zeros(0)

    @cached_property
    def pnl(self) -> np.ndarray:
        return self.trades["pnl"].to_numpy(float)

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


def measure(trades: pd.DataFrame, fills: pd.DataFrame, equity: pd.DataFrame, start: float, mean_spread: float = np.nan) -> dict[str, float | None]:
    """Every metric of a run; None where it has no value (no trade, no time, nothing lost)."""
    if equity.empty:
        return {key: None for key in METRICS}
    facts = facts_of(trades, fills, equity, start, mean_spread)
    with np.errstate(all="ignore"):
        return {key: finite(METRICS[key].value(facts)) for key in METRICS}


def facts_of(trades: pd.DataFrame, fills: pd.DataFrame, equity: pd.DataFrame, start: float, mean_spread: float = np.nan) -> Facts:
    value, low, balance = (equity[name if name in equity else "equity"].to_numpy(float) for name in ("equity", "equity_low", "balance"))
    spread, slippage = (float(fills[name].sum()) for name in ("spread_cost", "slippage_cost"))
    return Facts(start, nanoseconds(equity["ts"]), value, low, balance, trades, spread, slippage, mean_spread)


def nanoseconds(ts: pd.Series) -> np.ndarray:
    return ts.dt.as_unit("ns").astype("int64").to_numpy()


def day_returns(ts: np.ndarray, equity: np.ndarray, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970 (UTC) that have a row, and the return of each."""
    if not len(ts):
        return np.zeros(0, np.int64), np.zeros(0)
    ends = np.arange((ts[0] - 1) // DAY, (ts[-1] - 1) // DAY + 1)
    until = np.searchsorted(ts, (ends + 1) * DAY, side="right")
    some = np.diff(until, prepend=0) > 0
    return ends[some], from_day_to_day(equity[until[some] - 1], start)


def from_day_to_day(last: np.ndarray, start: float) -> np.ndarray:
    """Returns from the last equity of each day; NaN once nothing was left.

    >>> from_day_to_day(np.array([110.0, 0.0, 5.0]), 100.0).round(12).tolist()
    [0.1, -1.0, nan]
    """
    before = np.concatenate(([start], last[:-1]))
    alive = np.minimum.accumulate(before) > 0
    with np.errstate(all="ignore"):
        return np.where(alive, last / before - 1.0, np.nan)


def daily_returns(equity: pd.DataFrame, start: float) -> pd.Series:
    """Return of each UTC day that has a row, by day, as a share; the first against ``start``. NaN once the account is lost.

    >>> ts = pd.to_datetime(["2024-01-02T12:00Z", "2024-01-03T00:00Z", "2024-01-03T00:05Z"])
    >>> daily_returns(pd.DataFrame(dict(ts=ts, equity=[105.0, 110.0, 99.0])), 100.0).round(12).to_dict()
    {Timestamp('2024-01-02 00:00:00'): 0.1, Timestamp('2024-01-03 00:00:00'): -0.1}
    """
    days, share = day_returns(nanoseconds(equity["ts"]), equity["equity"].to_numpy(float), start)
    return pd.Series(share, pd.DatetimeIndex((days * DAY).view("datetime64[ns]"), name="day"), name="share")


def finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def over(a: float, b: float) -> float:
    """a ÷ b; NaN over 0."""
    return a / b if b else np.nan


# -- what was earned --------------------------------------------------------------------------------------------------


@metric("Net", "share", "Final equity over the start, after spread, slippage, commission and swap.")
def net_return(f: Facts) -> float:
    return f.net / f.start


@metric("Net", "money", "Final equity less the start, after all costs.")
def net_profit(f: Facts) -> float:
    return f.net


@metric("Per year", "share", "Yearly growth that would give the same end: (end ÷ start)^(1 ÷ years) − 1. From 30 days on.")
def annual_return(f: Facts) -> float:
    if f.years * DAYS_A_YEAR < 30 or f.equity[-1] <= 0:
        return np.nan
    return (f.equity[-1] / f.start) ** (1.0 / f.years) - 1.0


@metric("Best day", "share", "Highest return of a UTC day.")
def best_day(f: Facts) -> float:
    return float(f.daily.max())


@metric("Worst day", "share", "Lowest return of a UTC day, at its end.")
def worst_day(f: Facts) -> float:
    return float(f.daily.min())


@metric("Days won", "share", "UTC days with a return above 0, of those on which equity moved.")
def winning_days(f: Facts) -> float:
    return over(float((f.daily > 0).sum()), float((f.daily != 0).sum()))


# -- what it was earned with ------------------------------------------------------------------------------------------


@metric("Drawdown", "share", "Deepest fall of equity below its highest value so far, at the closes of bars.", "risk")
def max_drawdown(f: Facts) -> float:
    return f.falls[0]


@metric("Drawdown inside bars", "share", "Deepest fall below the highest closing equity, at the adverse extreme of each bar.", "risk")
def max_drawdown_low(f: Facts) -> float:
    return f.falls[1]


@metric("Drawdown of closed trades", "share", "Deepest fall of the balance below its highest value so far: open losses are not in it.", "risk")
def max_drawdown_closed(f: Facts) -> float:
    return min(float((f.balance / running_peak(f.balance, f.start)).min()) - 1.0, 0.0)


@metric("Longest under water", "days", "Longest time from a high of equity until it is reached again, or to the end.", "risk")
def longest_drawdown(f: Facts) -> float:
    return float(np.diff(np.append(f.ts[spells(f.equity, f.peak)], f.ts[-1])).max()) / DAY


@metric("Recovery factor", "ratio", "Net over the deepest fall of equity in money, at the closes of bars.", "risk")
def recovery_factor(f: Facts) -> float:
    return over(f.net, float((f.peak - f.equity).max()))


@metric("Volatility", "share", "Standard deviation of daily returns (UTC days), × √252. From 20 days on.", "risk")
def annual_volatility(f: Facts) -> float:
    return returns.annual_volatility(f.judged)


@metric("Downside risk", "share", "√ of the mean squared loss of daily returns (UTC days; a day that won counts as 0), × √252. From 20 days on.", "risk", "Sortino & Price (1994)")
def downside_risk(f: Facts) -> float:
    return returns.downside_risk(f.judged)


@metric("Sharpe", "ratio", "Mean over standard deviation of daily returns (UTC days), × √252. No risk-free rate is taken off. From 20 days on.", "risk", "Sharpe (1994), The Sharpe Ratio")
def sharpe(f: Facts) -> float:
    return returns.sharpe(f.judged)


@metric("Sortino", "ratio", "Mean daily return (UTC days) × 252 over downside risk. From 20 days on.", "risk", "Sortino & Price (1994), Performance Measurement in a Downside Risk Framework")
def sortino(f: Facts) -> float:
    return returns.sortino(f.judged)


@metric("Calmar", "ratio", "Growth per year over the size of the deepest drawdown at the closes of bars.", "risk", "Young (1991), Calmar Ratio: A Smoother Tool")
def calmar(f: Facts) -> float:
    return over(annual_return(f), -max_drawdown(f))


@metric("Omega", "ratio", "Sum of daily gains over sum of daily losses (UTC days, from 0). From 20 days on.", "risk", "Keating & Shadwick (2002), A Universal Performance Measure")
def omega(f: Facts) -> float:
    return returns.omega(f.judged)


@metric("Value at risk", "share", "The daily return that one UTC day in twenty does not exceed. From 20 days on.", "risk", "historical simulation, 95 %")
def value_at_risk(f: Facts) -> float:
    return returns.value_at_risk(f.judged)


@metric("Expected shortfall", "share", "Mean daily return of the worst twentieth of UTC days. From 20 days on.", "risk", "Rockafellar & Uryasev (2000), Optimization of Conditional Value-at-Risk")
def expected_shortfall(f: Facts) -> float:
    return returns.conditional_value_at_risk(f.judged)


@metric("Tail ratio", "ratio", "Size of the 95 % quantile of daily returns over size of the 5 % quantile: above 1, good days are larger than bad ones. From 20 days on.", "risk")
def tail_ratio(f: Facts) -> float:
    return returns.tail_ratio(f.judged)


@metric("Stability", "share", "R² of a straight line through the logarithm of equity at the ends of UTC days: 1 is even growth or even loss. From 20 days on.", "risk")
def stability(f: Facts) -> float:
    return returns.stability(f.judged)


def monthly(equity: pd.DataFrame, start: float) -> pd.DataFrame:
    """``year, month, share``: net return of each month (UTC), month 0 the whole year. A row at midnight belongs to the day that ends then."""
    last = equity.set_index(equity["ts"] - pd.Timedelta(1, "ns"))["equity"].resample("ME").last().ffill()
    frame = pd.DataFrame(dict(share=last / last.shift(1, fill_value=start) - 1.0))
    frame["year"], frame["month"] = frame.index.year, frame.index.month
    whole = frame.groupby("year")["share"].apply(lambda share: (1.0 + share).prod() - 1.0).reset_index().assign(month=0)
    return pd.concat([frame.reset_index(drop=True), whole])[["year", "month", "share"]]


def summary_of(metrics: Mapping[str, Any]) -> str:
    """One line for lists and logs."""
    return f"{metrics['trades']:.0f} trades, net {metrics['net_return']:+.1%}" if metrics.get("trades") else "no trades"
