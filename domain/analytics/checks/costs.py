"""Costs: how much of the result they take, and which are missing."""

from __future__ import annotations

import numpy as np

from domain.analytics.daily import nanoseconds
from domain.analytics.linter import Evidence, Finding, check, number_of, percent
from domain.analytics.metrics import DAY
from domain.errors import listed


@check("No spread, or neither slippage nor commission, was paid.")
def free_trading(e: Evidence) -> Finding:
    spread, slippage, commission = e.fills["spread_cost"].sum(), e.fills["slippage_cost"].sum(), e.trades["costs"].sum()
    if spread <= 0:
        return "severe", "No spread was paid: these are prices nobody gets.", 0.0
    return ("note", "Neither slippage nor commission is assumed.", 0.0) if not slippage and not commission else None


@check("Net is gone at 1.5 times the spread paid or less: warning. At 1.2 times: severe.")
def thin_margin(e: Evidence) -> Finding:
    factor = e.figures.get("break_even_factor")
    if e.net <= 0 or factor is None or factor >= 1.5:
        return None
    return "severe" if factor < 1.2 else "warning", f"Break-even at {factor:.2f} times the spread paid.", factor


@check("Costs take half of what the trades make at mid prices, or more.")
def costly(e: Evidence) -> Finding:
    share = e.figures.get("costs_share")
    if share is None or share < 0.5:
        return None
    rest = f"{percent(share)} of" if share < 1 else "more than"
    return "warning", f"Costs take {rest} what the trades make at mid prices.", share


@check("An instrument's positions were held past midnight UTC, and none of them ever paid or earned swap.")
def free_nights(e: Evidence) -> Finding:
    first, last = (nanoseconds(e.trades[name]) // DAY for name in ("entry_ts", "exit_ts"))
    names = e.trades["instrument"].astype(str).to_numpy(object)
    charged = set(names[(e.trades["swap"] != 0).to_numpy()])
    free = (last > first) & ~np.isin(names, list(charged))
    if not free.any():
        return None
    weekends = int((free & ((last - 2) // 7 > (first - 2) // 7)).sum())      # day 2 of 1970 was a Saturday
    over = f", {weekends:,} of them over a weekend," if weekends else ""
    level = "warning" if free.mean() >= 0.1 else "note"
    return level, f"{number_of(free.sum(), 'trade was', 'trades were')} held past midnight UTC{over} without swap ({listed(dict.fromkeys(names[free]), 3)}).", int(free.sum())


@check("Bars carry no spread of their own.", needs_trades=False)
def assumed_spread(e: Evidence) -> Finding:
    bare = [name for name, bars in e.bars.items() if "spread" not in bars or bars["spread"].isna().all()]
    return ("note", f"The bars of {listed(bare, 3)} carry no spread: one value is assumed at all hours, though it widens at night and on news.", len(bare)) if bare else None
