"""Figures of the closed trades. R is a trade's result in units of the risk it took to its initial stop; trades without a stop have none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.analytics import returns
from domain.analytics.daily import USUAL, nanoseconds
from domain.analytics.guards import deviation, finite, over, over_positive, size_of
from domain.analytics.metrics import CALENDAR_DAYS, DAY, METRICS, Facts, metric
from domain.rounding import ROUNDING

BEST = 0.01     # share of trades called the best ones


def trade_figures(trades: pd.DataFrame) -> dict[str, float | None]:
    """The metrics of the families ``trades`` and ``tails`` that need no equity, by key; None where there is no value."""
    nothing = np.full(1, np.nan)
    facts = Facts(np.nan, np.zeros(1, np.int64), nothing, nothing, nothing, trades, np.nan, np.nan, np.nan, USUAL)
    with np.errstate(all="ignore"):
        return {key: finite(metric.value(facts)) for key, metric in METRICS.items() if metric.family in ("trades", "tails") and key not in ("exposure", "turnover")}


def r_histogram(trades: pd.DataFrame, width: float = 0.25, low: float = -3.0, high: float = 6.0) -> pd.DataFrame:
    """``low, high, trades, share`` of R in bins of ``width`` R, lower edge included. The outer two hold all beyond: their outer edge is the extreme.

    >>> r_histogram(pd.DataFrame(dict(r=[-1.0, 0.5, 9.0])), width=1.0, low=-1.0, high=1.0)["trades"].tolist()
    [1, 2]
    """
    r = trades["r"].to_numpy(float)
    r = r[np.isfinite(r)]
    edges = np.linspace(low, high, round((high - low) / width) + 1)
    place = np.clip(np.searchsorted(edges, r, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(place, minlength=len(edges) - 1)
    if len(r):
        edges[0], edges[-1] = min(low, r.min()), max(high, r.max())
    return pd.DataFrame(dict(low=edges[:-1], high=edges[1:], trades=counts, share=counts / max(len(r), 1)))


def results_in_r(trades: pd.DataFrame) -> np.ndarray:
    """R of the trades that have one, in the order in which they ended: what ``draw`` takes.

    >>> ends = pd.to_datetime(["2024-01-03", "2024-01-02", "2024-01-04"], utc=True)
    >>> results_in_r(pd.DataFrame(dict(exit_ts=ends, r=[2.0, -1.0, np.nan]))).tolist()
    [-1.0, 2.0]
    """
    r = trades["r"].to_numpy(float)[np.argsort(nanoseconds(trades["exit_ts"]), kind="stable")]
    return r[np.isfinite(r)]


def point_value(trades: pd.DataFrame) -> np.ndarray:
    """Value of one unit of price for each trade, in account currency, from its profit and its price change.

    Where the price did not move: the median of its instrument for its lots; NaN where there is none.

    >>> point_value(pd.DataFrame(dict(instrument="EURUSD", side=["long"], lots=1.0, entry_price=1.1, exit_price=1.2, pnl_gross=10_000.0))).round(6)
    array([100000.])
    """
    entry = trades["entry_price"].to_numpy(float)
    moved = (trades["exit_price"].to_numpy(float) - entry) * directions(trades)
    moved[np.abs(moved) <= ROUNDING * np.abs(entry)] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        value = trades["pnl_gross"].to_numpy(float) / moved
    lots = trades["lots"].to_numpy(float)
    unknown = ~(np.isfinite(value) & (value > 0))
    if unknown.any():
        per_lot = pd.Series(np.where(unknown, np.nan, value / lots))
        value = np.where(unknown, per_lot.groupby(trades["instrument"].to_numpy()).transform("median").to_numpy() * lots, value)
    return value


def directions(trades: pd.DataFrame) -> np.ndarray:
    """1.0 long, −1.0 short."""
    return np.where((trades["side"] == "long").to_numpy(bool), 1.0, -1.0)


def risked(trades: pd.DataFrame) -> np.ndarray:
    """Account currency between entry and initial stop, for each trade: pnl ÷ r. NaN without R, or where both are only rounding."""
    r = trades["r"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        money = trades["pnl"].to_numpy(float) / np.where(np.abs(r) > ROUNDING, r, 0.0)
    return np.where(np.isfinite(money), money, np.nan)


def longest_run(flags: np.ndarray) -> int:
    """
    >>> longest_run(np.array([True, True, False, True]))
    2
    """
    edges = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
    return int((np.flatnonzero(edges < 0) - np.flatnonzero(edges > 0)).max(initial=0))


def time_in_market(entry: np.ndarray, leave: np.ndarray) -> int:
    """Nanoseconds with at least one position, overlaps counted once.

    >>> time_in_market(np.array([0, 5, 20]), np.array([10, 8, 21]))
    11
    """
    order = np.argsort(entry, kind="stable")
    entry, leave = entry[order], np.maximum.accumulate(leave[order])
    covered = np.minimum(entry[1:], leave[:-1]) if len(entry) else entry
    return int((leave - entry).sum() - (leave[:-1] - covered).sum()) if len(entry) else 0


def _best(values: np.ndarray, share: float = BEST) -> float:
    count = max(round(share * len(values)), 1)
    return float(np.partition(values, len(values) - count)[len(values) - count :].sum())


# -- trades -----------------------------------------------------------------------------------------------------------


@metric("Trades", "trades", "Closed round trips.", "trades")
def trades(f: Facts) -> float:
    return len(f.trades)


@metric("Win rate", "share", "Trades with a result above 0, after commission and swap.", "trades")
def win_rate(f: Facts) -> float:
    return over(float(len(f.won)), len(f.pnl))


@metric("Profit factor", "ratio", "Gross profit ÷ gross loss: sum of winning trades over sum of losing trades, after commission and swap.", "trades")
def profit_factor(f: Facts) -> float:
    return over(f.won.sum(), -f.lost_on.sum(), size_of(f.pnl))


@metric("Expectancy", "R", "Mean result of a trade in units of the risk it took to its initial stop.", "trades", "Tharp (1998), Trade Your Way to Financial Freedom")
def expectancy_r(f: Facts) -> float:
    return float(f.r.mean()) if len(f.r) else np.nan


@metric("Expectancy, t-stat", "ratio", "Mean of R over its standard error: mean ÷ (standard deviation ÷ √trades). No value where R does not vary.", "trades", "Student (1908)")
def expectancy_t(f: Facts) -> float:
    return over(f.r.mean() * np.sqrt(len(f.r)), deviation(f.r)) if len(f.r) > 1 else np.nan


@metric(
    "SQN", "ratio", "System quality number: mean of R over its standard deviation, × √trades, of which no more than 100 count. No value where R does not vary.", "trades",
    "Tharp (2008), Definitive Guide to Position Sizing: SQN",
)  # fmt: skip
def system_quality(f: Facts) -> float:
    return over(f.r.mean() * np.sqrt(min(len(f.r), 100)), deviation(f.r)) if len(f.r) > 1 else np.nan


@metric("Average trade", "money", "Mean result of a trade, after commission and swap.", "trades")
def average_trade(f: Facts) -> float:
    return float(f.pnl.mean()) if len(f.pnl) else np.nan


@metric("Average win", "money", "Mean result of the trades above 0.", "trades")
def average_win(f: Facts) -> float:
    return over(f.won.sum(), len(f.won))


@metric("Average loss", "money", "Mean result of the trades below 0; negative.", "trades")
def average_loss(f: Facts) -> float:
    return over(f.lost_on.sum(), len(f.lost_on))


@metric("Payoff ratio", "ratio", "Average win over the size of the average loss.", "trades")
def payoff(f: Facts) -> float:
    return over(average_win(f), -average_loss(f), size_of(f.pnl))


@metric("Best trade", "money", "Highest result of a trade.", "trades")
def best_trade(f: Facts) -> float:
    return float(f.pnl.max(initial=-np.inf))


@metric("Worst trade", "money", "Lowest result of a trade.", "trades")
def worst_trade(f: Facts) -> float:
    return float(f.pnl.min(initial=np.inf))


@metric("Longest winning streak", "trades", "Most trades above 0 in a row, in the order in which they ended.", "trades")
def winning_streak(f: Facts) -> float:
    return longest_run(f.pnl_in_order > 0)


@metric("Longest losing streak", "trades", "Most trades below 0 in a row, in the order in which they ended.", "trades")
def losing_streak(f: Facts) -> float:
    return longest_run(f.pnl_in_order < 0)


@metric("Average bars held", "bars", "Mean number of bars from entry to exit.", "trades")
def bars_held(f: Facts) -> float:
    return float(f.trades["bars_held"].mean()) if len(f.trades) else np.nan


@metric("Average days held", "days", "Mean time from entry to exit, calendar days; a trade that ends in the bar it began in counts 0.", "trades")
def days_held(f: Facts) -> float:
    if not len(f.trades) or "exit_ts" not in f.trades:
        return np.nan
    return float((nanoseconds(f.trades["exit_ts"]) - nanoseconds(f.trades["entry_ts"])).mean()) / DAY


@metric("Time in market", "share", "Calendar time with at least one position, of the time from the first row to the last.", "trades")
def exposure(f: Facts) -> float:
    if "exit_ts" not in f.trades:
        return np.nan
    duration = time_in_market(nanoseconds(f.trades["entry_ts"]), nanoseconds(f.trades["exit_ts"]))
    return min(over(duration, float(f.ts[-1] - f.ts[0])), 1.0)


@metric(
    "Turnover", "ratio", "Value bought and sold in a year (notional at entry and exit, account currency) over mean equity. From 30 days on. "
    "No value where the account was lost.", "trades",
)  # fmt: skip
def turnover(f: Facts) -> float:
    if "exit_price" not in f.trades or f.years * CALENDAR_DAYS < 30 or f.lost:
        return np.nan
    traded = point_value(f.trades) * (f.trades["entry_price"].abs() + f.trades["exit_price"].abs()).to_numpy(float)
    return over(float(np.nansum(traded)), float(f.equity.mean()) * f.years)


# -- distribution -----------------------------------------------------------------------------------------------------


@metric("Best trade, share of net", "share", "The best trade over the net of all trades. No value where the net is not above 0.", "tails")
def best_trade_share(f: Facts) -> float:
    return over_positive(best_trade(f), f.pnl.sum(), size_of(f.pnl))


@metric("Best 1 % of trades, share of net", "share", "The best hundredth of the trades, at least one, over the net of all trades. No value where the net is not above 0.", "tails")
def best_percent_share(f: Facts) -> float:
    return over_positive(_best(f.pnl), f.pnl.sum(), size_of(f.pnl)) if len(f.pnl) else np.nan


@metric("Worst R", "R", "Lowest R of a trade: below −1 a gap or a cost went beyond the stop.", "tails")
def worst_r(f: Facts) -> float:
    return float(f.r.min(initial=np.inf))


@metric("Best R", "R", "Highest R of a trade.", "tails")
def best_r(f: Facts) -> float:
    return float(f.r.max(initial=-np.inf))


@metric("VaR (R)", "R", "The 5 % quantile of the trades' R: one trade in twenty is no better.", "tails", "historical simulation, 95 %")
def r_at_risk(f: Facts) -> float:
    return returns.value_at_risk(f.r)


@metric("Expected shortfall (R)", "R", "Mean R of the worst 5 % of the trades.", "tails", "Rockafellar & Uryasev (2000), Optimization of Conditional Value-at-Risk")
def r_shortfall(f: Facts) -> float:
    return returns.conditional_value_at_risk(f.r)


@metric("Skewness (R)", "ratio", "Third standardised moment of R: below 0, the long tail is on the side of losses. No value where R does not vary.", "tails")
def r_skew(f: Facts) -> float:
    return returns.skewness(f.r)


@metric("Kurtosis (R)", "ratio", "Fourth standardised moment of R; 3 is a normal distribution's. No value where R does not vary.", "tails")
def r_kurtosis(f: Facts) -> float:
    return returns.kurtosis(f.r)
