"""Cost attribution, break-even spread, and the rules of the run."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.backtest.panels import headed, read
from app.backtest.rules import rules_of
from app.kit import charts
from app.kit.draw import draw_chart
from app.kit.tables import pairs_frame
from app.kit.widgets import table
from worker.desk import Desk


def view(desk: Desk, run: Any) -> None:
    currency, steps = run.summary["currency"], read(desk, "costs", run.id)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        headed(desk, run, "Cost attribution", f"gross to net, {currency}; the same fills assumed without costs", "costs")
        pairs = list(zip(steps["title"].str.split(",").str[0].str.lower(), steps["money"], strict=True))
        draw_chart(charts.waterfall(pairs, currency), alt="Spread, slippage, commission and swap between gross and net")
        headed(desk, run, "Break-even spread", "pips per round trip, the same fills assumed", "break_even")
        table(read(desk, "break_even", run.id), _columns(currency), "Average spread, break-even spread and cushion")
    with right:
        headed(desk, run, "Account, costs and risk", "")
        table(pairs_frame(rules_of(desk, run), "Rule", "Value"), {"Rule": "Rule", "Value": "Value"}, "Account, costs, execution, sizing and limits of this run", height=420)


def _columns(currency: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "instrument": config.TextColumn("Instrument", width=90),
        "trades": config.NumberColumn("Trades", format="localized", width=60),
        "net": config.NumberColumn(f"Net, {currency}", format="localized", width=84, step=1),
        "paid": config.NumberColumn("Avg. spread", format="%.2f", width=80, help="Mean spread paid per round trip, pips."),
        "at": config.NumberColumn("Break-even", format="%.2f", width=78, help="Mean spread at which net is zero, pips; negative: it loses at zero spread, too."),
        "room": config.NumberColumn("Cushion", format="%+.2f", width=66, help="Break-even less average spread, pips."),
        "factor": config.NumberColumn("÷ avg.", format="%.2f", width=58, help="Break-even ÷ average spread: net is zero at this multiple of the spread paid."),
    }
