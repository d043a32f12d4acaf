"""The headline figures of a run, each with its definition, from its trades and its equity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.registry import Registry

DAYS_A_YEAR = 365.25
TRADING_DAYS = 252


@dataclass(frozen=True)
class Metric:
    """``unit``: share (1 is 100 %), money (account currency), ratio, R, trades, bars, days, price."""

    key: str
    title: str
    unit: str
    definition: str
    value: Callable[[Facts], float]


@dataclass(frozen=True)
class Facts:
    """What every figure is computed from."""

    start: float
    equity: np.ndarray          # at each row
    low: np.ndarray             # at the adverse extreme
    ts: np.ndarray              # nanoseconds
    trades: pd.DataFrame
    spread_cost: float
    slippage_cost: float
    mean_spread: float

    @property
    def net(self) -> float:
        return float(self.equity[-1] - self.start)

    @property
    def years(self) -> float:
        return float(self.ts[-1] - self.ts[0]) / 86_400e9 / DAYS_A_YEAR

    @property
    def daily(self) -> np.ndarray:
        """Returns from day to day (UTC), on the days that have a row."""
        day = self.ts // 86_400_000_000_000
        last = np.concatenate((self.equity[np.flatnonzero(np.diff(day))], self.equity[-1:]))
        before = np.concatenate(([self.start], last[:-1]))
        return last / before - 1.0 if np.all(before > 0) else np.full(len(last), np.nan)


METRICS: Registry[Metric] = Registry("metric")


def metric(title: str, unit: str, definition: str) -> Callable:
    def register(function: Callable[[Facts], float]) -> Callable[[Facts], float]:
        METRICS.add(function.__name__, Metric(function.__name__, title, unit, definition, function))
        return function

    return register


def measure(trades: pd.DataFrame, fills: pd.DataFrame, equity: pd.DataFrame, start: float, mean_spread: float = np.nan) -> dict[str, float | None]:
    """Every metric of a run; None where it has no value (no trade, no time, nothing lost)."""
    if equity.empty:
        return {key: None for key in METRICS}
    ts = equity["ts"].dt.as_unit("ns").astype("int64").to_numpy()
    facts = Facts(start, equity["equity"].to_numpy(), equity["equity_low"].to_numpy(), ts, trades, float(fills["spread_cost"].sum()), float(fills["slippage_cost"].sum()), mean_spread)
    with np.errstate(all="ignore"):
        return {key: _finite(METRICS[key].value(facts)) for key in METRICS}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _over(a: float, b: float) -> float:
    return a / b if b else np.nan


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


def _drawdown(curve: np.ndarray, peaks: np.ndarray, start: float) -> np.ndarray:
    return curve / np.maximum(np.maximum.accumulate(peaks), start) - 1.0


@metric("Drawdown", "share", "Deepest fall of equity below its highest value so far, at the closes of bars.")
def max_drawdown(f: Facts) -> float:
    return min(float(_drawdown(f.equity, f.equity, f.start).min()), 0.0)


@metric("Drawdown inside bars", "share", "Deepest fall below the highest closing equity, at the adverse extreme of each bar.")
def max_drawdown_low(f: Facts) -> float:
    return min(float(_drawdown(f.low, f.equity, f.start).min()), 0.0)


@metric("Longest under water", "days", "Longest time from a high of equity until it is reached again, or to the end.")
def longest_drawdown(f: Facts) -> float:
    peaks = np.concatenate(([True], f.equity[1:] >= np.maximum.accumulate(np.maximum(f.equity, f.start))[:-1]))
    at = f.ts[peaks]
    return float(np.diff(np.append(at, f.ts[-1])).max()) / 86_400e9


@metric("Sharpe", "ratio", "Mean over standard deviation of daily returns (UTC days), × √252. No risk-free rate is taken off. From 20 days on.")
def sharpe(f: Facts) -> float:
    daily = f.daily
    return _over(daily.mean(), daily.std(ddof=1)) * np.sqrt(TRADING_DAYS) if len(daily) >= 20 else np.nan


@metric("Profit factor", "ratio", "Sum of winning trades over sum of losing trades, after commission and swap.")
def profit_factor(f: Facts) -> float:
    pnl = f.trades["pnl"].to_numpy()
    return _over(pnl[pnl > 0].sum(), -pnl[pnl < 0].sum())


@metric("Expectancy", "R", "Mean result of a trade in units of the risk it took to its first stop.")
def expectancy_r(f: Facts) -> float:
    r = f.trades["r"].to_numpy()
    return float(np.nanmean(r)) if np.isfinite(r).any() else np.nan


@metric("t of expectancy", "ratio", "Mean of R over its standard error: mean ÷ (standard deviation ÷ √trades).")
def expectancy_t(f: Facts) -> float:
    r = f.trades["r"].to_numpy()
    r = r[np.isfinite(r)]
    return _over(r.mean() * np.sqrt(len(r)), r.std(ddof=1)) if len(r) > 1 else np.nan


@metric("Trades", "trades", "Closed round trips.")
def trades(f: Facts) -> float:
    return len(f.trades)


@metric("Won", "share", "Trades with a result above 0, after commission and swap.")
def win_rate(f: Facts) -> float:
    return _over(float((f.trades["pnl"] > 0).sum()), len(f.trades))


@metric("Average trade", "money", "Mean result of a trade, after commission and swap.")
def average_trade(f: Facts) -> float:
    return f.trades["pnl"].mean() if len(f.trades) else np.nan


@metric("Bars held", "bars", "Mean number of bars from entry to exit.")
def bars_held(f: Facts) -> float:
    return f.trades["bars_held"].mean() if len(f.trades) else np.nan


@metric("Spread paid", "money", "Half the spread at each fill. Already in the prices.")
def spread_paid(f: Facts) -> float:
    return f.spread_cost


@metric("Slippage paid", "money", "Slippage at each fill. Already in the prices.")
def slippage_paid(f: Facts) -> float:
    return f.slippage_cost


@metric("Commission paid", "money", "Commission of all fills.")
def commission_paid(f: Facts) -> float:
    return float(f.trades["costs"].sum())


@metric("Swap", "money", "Swap of all nights; negative is paid.")
def swap(f: Facts) -> float:
    return float(f.trades["swap"].sum())


@metric("Breaks even at", "price", "The mean spread at which net profit is zero, the same fills assumed.")
def break_even_spread(f: Facts) -> float:
    return f.mean_spread * (1.0 + _over(f.net, f.spread_cost))


@metric("Mean spread", "price", "Mean spread of the bars.")
def mean_spread(f: Facts) -> float:
    return f.mean_spread


def monthly(equity: pd.DataFrame, start: float) -> pd.DataFrame:
    """``year, month, share``: net return of each month (UTC), month 0 the whole year."""
    last = equity.set_index("ts")["equity"].resample("ME").last().ffill()
    frame = pd.DataFrame(dict(share=last / last.shift(1, fill_value=start) - 1.0))
    frame["year"], frame["month"] = frame.index.year, frame.index.month
    whole = frame.groupby("year")["share"].apply(lambda share: (1.0 + share).prod() - 1.0).reset_index().assign(month=0)
    return pd.concat([frame.reset_index(drop=True), whole])[["year", "month", "share"]]


def summary_of(metrics: Mapping[str, Any]) -> str:
    """One line for lists and logs."""
    return f"{metrics['trades']:.0f} trades, net {metrics['net_return']:+.1%}" if metrics.get("trades") else "no trades"
