"""A scan as tables: every verdict with its numbers, the trades that they come from, and the correlations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from domain.scanner import reasons
from domain.scanner.criteria import NAMES
from domain.scanner.scan import Scan
from domain.scanner.trades import COLUMNS as TRADE

KEY = ("instrument", "strategy", "timeframe")
VERDICTS = (
    *KEY, "reason", "detail", "rank", "grade", "q_star", "side", "order", "entry", "stop_loss", "target", "lots", "at_risk", "es95", "correlation", "correlated_with",
    "p", "p_source", "mean_win", "mean_loss", "deviation", "trades", "wins", "edge", "noise", "spread_cost", "spread_now", "spread_at_entries", "stop_distance", "stop_source", "mean_worst",
    "close", "rate", "bars", "bars_needed", "bar_closed",
)  # fmt: skip
TRADES = (*KEY, *TRADE)
PROPOSAL = "proposal"       # in place of a reason
DEFINITIONS = {
    "r": "R of a closed trade, net of costs: trades.csv, column r, the last of each instrument, strategy and timeframe",
    "p": "(wins + 1) / (trades + 2), a win being r > 0; or the chance of a calibrated classifier (p_source)",
    "mean_win": "W: mean of the r above 0, in R; 0 without one",
    "mean_loss": "L: mean of -r of the others, in R; 0 without one",
    "deviation": "s: standard deviation of r with n - 1",
    "edge": "p * mean_win - (1 - p) * mean_loss",
    "noise": "deviation / sqrt(trades)",
    "spread_cost": "(spread_now - spread_at_entries) / stop_distance; spread_at_entries is the mean of spread_at_entry in trades.csv",
    "q_star": "edge - noise - spread_cost",
    "stop_distance": "from the expected entry to the stop of the signal; without a signal the mean of |entry_price - stop_loss| of the trades (stop_source)",
    "at_risk": "lots * contract size * stop_distance * rate, in account currency; rate is account currency per unit of the quote currency",
    "mean_worst": "mean of the ceil(trades / 20) lowest r",
    "es95": "-mean_worst * at_risk / equity * 1000",
    "correlation": "highest side * other side * correlation (correlations.csv) with an open position or an earlier proposal; 1 for the same instrument",
}


def verdict_table(scan: Scan) -> pd.DataFrame:
    """One row a combination, the proposals first by rank, the others by falling Q*. Prices, spreads and distances in price units, ``at_risk`` in account currency,
    ``es95`` per 1,000 of equity, Q* and its terms in R; ``mean_worst``: mean of the worst twentieth of R."""
    table = pd.DataFrame([_row(scan, k) for k in range(len(scan.combinations))], columns=list(VERDICTS))
    order = np.lexsort((-table["q_star"].fillna(-np.inf).to_numpy(), table["rank"].replace(0, 99).to_numpy()))
    return table.iloc[order].reset_index(drop=True)


def trade_table(scan: Scan) -> pd.DataFrame:
    """The closed trades of every combination, oldest first: TRADES."""
    parts = [each.trades.assign(instrument=each.instrument, strategy=each.strategy, timeframe=each.timeframe)[list(TRADES)] for each in scan.combinations if len(each.trades)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(TRADES))
    return table.assign(side=table["side"].astype(str))


def correlation_table(scan: Scan) -> pd.DataFrame:
    """``a, b, correlation`` of every two instruments; NaN where it is not known."""
    names, rho = scan.correlations
    return pd.DataFrame([(a, b, rho[j, k]) for j, a in enumerate(names) for k, b in enumerate(names)], columns=["a", "b", "correlation"])


def reason_counts(scan: Scan) -> dict[str, int]:
    """How many combinations have each reason, in the order of the reasons."""
    return {key: int((scan.verdicts.reason == k).sum()) for k, key in enumerate(reasons.KEYS)}


def _row(scan: Scan, k: int) -> dict[str, Any]:
    each, v = scan.combinations[k], scan.verdicts
    s, q = v.statistics, v.quality
    signal, reason = each.signal, int(v.reason[k])
    ordered = dict(side="", order="", entry=np.nan, stop_loss=np.nan, target=np.nan, lots=np.nan, at_risk=np.nan)
    if signal is not None:
        ordered = dict(side="long" if signal.side > 0 else "short", order=signal.order, entry=signal.entry, stop_loss=signal.stop_loss, target=signal.target, lots=signal.lots, at_risk=signal.at_risk)
    return dict(
        instrument=each.instrument, strategy=each.strategy, timeframe=each.timeframe, reason=reasons.KEYS[reason] if reason >= 0 else PROPOSAL, detail=detail(scan, k), rank=int(v.rank[k]),
        grade=NAMES[v.grade[k]] if v.grade[k] >= 0 else "", q_star=float(q.q[k]), **ordered, es95=float(v.es95[k]), correlation=float(v.correlation[k]), correlated_with=_partner(scan, k),
        p=float(q.p[k]), p_source="trades" if np.isnan(each.probability) else "classifier", mean_win=float(s.win[k]), mean_loss=float(s.loss[k]), deviation=float(s.deviation[k]),
        trades=int(s.n[k]), wins=int(s.wins[k]), edge=float(q.edge[k]), noise=float(q.noise[k]), spread_cost=float(q.cost[k]), spread_now=each.spread, spread_at_entries=each.spread_at_entries,
        stop_distance=each.stop_distance, stop_source="signal" if signal else "mean of the trades" if len(each.trades) else "", mean_worst=float(s.tail[k]), close=each.close, rate=each.rate,
        bars=each.bars, bars_needed=each.needed, bar_closed=_moment(each.ended),
    )  # fmt: skip


def detail(scan: Scan, k: int) -> str:
    """The reason with its numbers, in one sentence; of a proposal what it proposes."""
    each, v, criteria = scan.combinations[k], scan.verdicts, scan.request.criteria
    words = {
        reasons.WARM_UP: lambda: f"{each.bars:,} bars have closed, and the features need more than {each.needed:,}.",
        reasons.NO_SIGNAL: lambda: _no_signal(scan, k),
        reasons.FEW_TRADES: lambda: f"{int(v.statistics.n[k]):,} closed trades have an R, and {criteria.fewest:,} are required.",
        reasons.GRADE: lambda: "The signal has no stop on its losing side, so Q* is unknown." if np.isnan(v.quality.q[k]) else f"Q* is {v.quality.q[k]:.3f}, grade {NAMES[v.grade[k]]}; only A+ and A are proposed.",
        reasons.ES95: lambda: f"The expected shortfall is {v.es95[k]:.2f} per 1,000 of equity, and {criteria.es95:g} are allowed.",
        reasons.CORRELATION: lambda: f"The correlation with {_partner(scan, k)} is unknown: too few common days." if v.unknown[k] else f"The signed correlation with {_partner(scan, k)} is {v.correlation[k]:.2f}, and {criteria.correlation:g} is allowed.",
        reasons.LIMIT: lambda: v.limits[k],
        reasons.RANK: lambda: f"{criteria.proposals} combinations with a higher Q* are proposed.",
    }  # fmt: skip
    reason = int(v.reason[k])
    return words[reason]() if reason >= 0 else f"Q* is {v.quality.q[k]:.3f} R, grade {NAMES[v.grade[k]]}, from {int(v.statistics.n[k]):,} closed trades."


def _no_signal(scan: Scan, k: int) -> str:
    each = scan.combinations[k]
    if each.refusal:
        return f"{each.refusal[:1].upper()}{each.refusal[1:].rstrip('.')}."
    if scan.stale[k] and each.signal is not None:
        return f"The last bar closed at {_moment(each.ended):%Y-%m-%d %H:%M} UTC, so its signal is out of date."
    return "No entry signal at the close of the last bar."


def _partner(scan: Scan, k: int) -> str:
    """The position or earlier proposal with the highest correlation."""
    which, positions = int(scan.verdicts.partner[k]), scan.request.positions
    if which < 0:
        return ""
    if which < len(positions):
        return f"{positions[which].instrument} {_word(positions[which].side)} (open)"
    other = scan.combinations[scan.verdicts.proposals[which - len(positions)]]
    return f"{other.instrument} {_word(other.signal.side if other.signal else 0)} (proposed)"


def _word(side: int) -> str:
    return "long" if side > 0 else "short"


def _moment(ns: int) -> pd.Timestamp:
    return pd.Timestamp(ns, unit="ns", tz="UTC")
