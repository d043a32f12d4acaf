"""Realism of the fills: ambiguous bars, stops near the spread, losses beyond the stop."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.analytics.linter import Evidence, Finding, check, number_of, percent, signed
from domain.analytics.trades import risked

NEAR = 2.0                      # an initial stop nearer than so many spreads is called near


@check("Bars in which the order of stop and target is unknown: severe where the sign of the result depends on it, else from 5 % of trades a warning.")
def ambiguous_bars(e: Evidence) -> Finding:
    if not e.ambiguous:
        return None
    how = f"In {number_of(e.ambiguous, 'bar')} the order of stop and target is unknown"
    if e.band and e.band[0] <= 0 < e.band[1]:
        return "severe", f"{how}, and they decide the result: net from {signed(e.band[0])} (pessimistic) to {signed(e.band[1])} (optimistic).", e.ambiguous
    between = f": net from {signed(e.band[0])} to {signed(e.band[1])}" if e.band else ""
    decided = e.rules.get("execution", {}).get("intrabar")
    level = "warning" if e.ambiguous >= 0.05 * len(e.trades) else "note"
    return level, f"{how}{between}{f'; they were decided as {decided}' if decided else ''}.", e.ambiguous


@check("Bars that reach stop and target were decided for the target.", needs_trades=False)
def optimistic(e: Evidence) -> Finding:
    if e.rules.get("execution", {}).get("intrabar") != "optimistic":
        return None
    return ("severe" if e.ambiguous else "note"), "Where a bar reached stop and target, the target was taken: this is an upper bound, not an estimate.", e.ambiguous


@check("A quarter of the trades or more end in the bar in which they began.")
def inside_one_bar(e: Evidence) -> Finding:
    share = float((e.trades["bars_held"] == 0).mean())
    return ("warning", f"{percent(share)} of the trades end in the bar in which they began: what happens inside bars decides much. Use finer bars.", share) if share >= 0.25 else None


@check("Trades that lost more than 1.5 R: from 1 % of the trades on, or 5 R at once.")
def beyond_the_stop(e: Evidence) -> Finding:
    r = e.trades["r"].to_numpy(float)
    count = int((r < -1.5).sum())
    lowest = float(np.nanmin(r)) if count else 0.0
    if count < 0.01 * len(r) and lowest > -5:
        return None
    return "note", f"{number_of(count, 'trade')} lost more than 1.5 R, the worst {lowest:,.1f} R: gaps and costs go beyond stops.", count


@check("The initial stop is nearer than two spreads, on 1 % of the entries or more.")
def stop_near_spread(e: Evidence) -> Finding:
    ratio = _spreads_to_stop(e)
    share = float((ratio < NEAR).sum()) / max(int(np.isfinite(ratio).sum()), 1)
    return ("warning", f"On {percent(share)} of the entries the stop is less than {NEAR:.0f} spreads away: the spread alone is half the risk.", share) if share >= 0.01 else None


def _spreads_to_stop(e: Evidence) -> np.ndarray:
    """First stop's distance ÷ the spread at the entry, for each trade, from money; NaN without R or without a spread."""
    entry = e.fills.drop_duplicates("trade_id")
    half = pd.Series(entry["spread_cost"].to_numpy(float), entry["trade_id"].to_numpy()).reindex(e.trades["trade_id"].to_numpy()).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(half > 0, risked(e.trades) / (2.0 * half), np.nan)


@check("Orders dropped because the stop was already through at the fill: 1 % of the signals or more.", needs_trades=False)
def stop_inside_spread(e: Evidence) -> Finding:
    dropped = e.counts.get("stop_through", 0)
    share = dropped / max(e.signals, dropped, 1)
    return ("warning", f"The stop was inside the spread, or already passed, on {percent(share)} of the entries; these {dropped:,} were dropped.", share) if share >= 0.01 else None


@check("Trades without an initial stop have no R and are in no figure measured in R.")
def without_stop(e: Evidence) -> Finding:
    share = float((~np.isfinite(e.trades["r"].to_numpy(float))).mean())
    return ("note" if share < 0.5 else "warning", f"{percent(share)} of the trades had no stop: figures in R leave them out, and nothing bounds their loss.", share) if share else None
