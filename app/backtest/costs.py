"""What spread, slippage, commission and swap took, the spread at which nothing is left, and the rules of the run."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.backtest.panels import headed, read
from app.kit import charts
from app.kit.figures import exact
from app.kit.tables import pairs_frame
from app.kit.widgets import table
from worker.desk import Desk

RULES = ("account", "costs", "execution", "sizing")


def view(desk: Desk, run: Any) -> None:
    currency, steps = run.summary["currency"], read(desk, "costs", run.id)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        headed(desk, run, "From gross to net", f"{currency}, the same fills assumed without costs", "costs")
        pairs = list(zip(steps["title"].str.split(",").str[0].str.lower(), steps["money"], strict=True))
        st.altair_chart(charts.waterfall(pairs, currency), width="stretch", alt="What spread, slippage, commission and swap took from the gross result")
        headed(desk, run, "Break-even spread", "pips of a round trip, the same fills assumed", "break_even")
        table(read(desk, "break_even", run.id), _columns(currency), "The spread paid, the one that breaks even, and what lies between")
    with right:
        headed(desk, run, "The rules of this run", "")
        rules = {f"{name} · {key.replace('_', ' ')}": "of the instrument" if value is None else exact(value) for name in RULES for key, value in run.spec[name].items()}
        rules |= {f"limits · {key.replace('_', ' ')}": exact(value) if value not in (0, "") else "off" for key, value in run.spec.get("limits", {}).items()}
        table(pairs_frame(rules, "Rule", "Value"), {"Rule": "Rule", "Value": "Value"}, "Account, costs, execution, sizing and limits of this run", height=420)


def _columns(currency: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "instrument": config.TextColumn("Instrument", width=90),
        "trades": config.NumberColumn("Trades", format="localized", width=60),
        "net": config.NumberColumn(f"Net, {currency}", format="localized", width=84, step=1),
        "paid": config.NumberColumn("Paid", format="%.2f", width=56, help="Mean spread paid in a round trip, pips."),
        "at": config.NumberColumn("Even at", format="%.2f", width=60, help="The mean spread at which net is zero; negative: it loses without a spread too."),
        "room": config.NumberColumn("Room", format="%+.2f", width=60, help="What lies between, pips."),
        "factor": config.NumberColumn("× paid", format="%.2f", width=58, help="Net is zero at this multiple of the spread paid."),
    }
