"""Use of the account: open losses, margin, stop-outs and ruin."""

from __future__ import annotations

import numpy as np

from domain.analytics.linter import Evidence, Finding, check, number_of, percent


@check("Open losses go twice as deep as closed ones, and 5 % or more.")
def open_losses(e: Evidence) -> Finding:
    low, closed = e.figures.get("max_drawdown_low") or 0.0, e.figures.get("max_drawdown_closed") or 0.0
    if low > -0.05 or low > 2 * closed:
        return None
    return "warning", f"Open losses went to {percent(low, 1)} while closed trades never showed more than {percent(closed, 1)}: the balance hides the risk.", -low


@check("Used margin reached 80 % of equity.")
def stretched(e: Evidence) -> Finding:
    if "used_margin" not in e.equity or e.equity.empty:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        equity = e.equity["equity"].to_numpy(float)
        share = np.where(equity > 0, e.equity["used_margin"].to_numpy(float) / equity, 0.0)
    highest = float(np.nanmax(np.append(share, 0.0)))
    return ("warning", f"Peak margin usage is {percent(highest)} of equity.", highest) if highest >= 0.8 else None


@check("The broker closed positions for lack of margin.")
def stopped_out(e: Evidence) -> Finding:
    count = int((e.fills["reason"] == "stop_out").sum())
    return ("severe", f"The broker closed {number_of(count, 'position')} for lack of margin.", count) if count else None


@check("Equity fell to 0 or below.", needs_trades=False)
def lost_account(e: Evidence) -> Finding:
    lowest = float(e.equity["equity_low"].min()) if len(e.equity) else 1.0
    return ("severe", "The account was lost: equity fell to 0 or below.", lowest) if lowest <= 0 else None
