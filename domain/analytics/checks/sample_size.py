"""Sample size: trades, days, and data held out."""

from __future__ import annotations

from domain.analytics.linter import Evidence, Finding, check, number_of
from domain.errors import listed


@check("Under 30 trades: severe. Under 100: warning.")
def few_trades(e: Evidence) -> Finding:
    n = len(e.trades)
    return ("severe" if n < 30 else "warning", f"Only {number_of(n, 'trade')}: too few to tell an edge from luck.", n) if n < 100 else None


@check("Under a quarter of a year: severe. Under a year: warning. Under two: note.")
def short_span(e: Evidence) -> Finding:
    if e.days >= 730:
        return None
    level = "severe" if e.days < 91 else "warning" if e.days < 365 else "note"
    return level, f"The run covers {e.days:,.0f} days: {'not even one of each season' if e.days < 365 else 'few kinds of market fit into them'}.", e.days


@check("All of the data was seen when the parameters were chosen.")
def no_out_of_sample(e: Evidence) -> Finding:
    return ("warning", "No part of the data was held out: these results are in-sample.", 1.0) if e.out_of_sample is False else None


@check("Signals came, but nothing was traded.", needs_trades=False)
def nothing_traded(e: Evidence) -> Finding:
    if len(e.trades) or not e.signals:
        return None
    why = [f"{key} {count:,}" for key, count in sorted(e.counts.items(), key=lambda item: -item[1]) if count]
    return "severe", f"{number_of(e.signals, 'signal')}, but no trade: {listed(why, 3) or 'no order was reached'}.", e.signals
