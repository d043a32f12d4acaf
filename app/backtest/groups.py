"""Trades by group."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.backtest import charts as pictures
from app.backtest import regimes
from app.backtest.panels import headed, read
from app.kit.draw import draw_chart
from app.kit.widgets import table
from worker.desk import Desk
from worker.desk.outcomes import label

EXIT_REASON = "exit_reason"
REGIME = "regime"       # bars are labelled after the run, so it has a view of its own


def view(desk: Desk, run: Any) -> None:
    if not run.summary["metrics"]["trades"]:
        st.caption("No trades.")
        return
    choices, currency = desk.run_tables.groups(), run.summary["currency"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox("Group by", list(choices), index=list(choices).index("side"), format_func=lambda key: choices[key][0], key="group_by", width=220)
        chosen = regimes.pick(desk, run, "regimes_by") if by == REGIME else None
    if by == REGIME:
        return regimes.view(desk, run, chosen)
    rows = read(desk, "group", run.id, by)
    if by == EXIT_REASON:
        rows = rows.assign(group=rows["group"].map(label))
    left, right = st.columns([2, 3], gap="medium")
    with left:
        headed(desk, run, "Net PnL", f"{currency} by {choices[by][0].lower()}")
        draw_chart(pictures.group_bars(rows, currency), alt=f"Net by {choices[by][0].lower()}")
    with right:
        headed(desk, run, choices[by][0], choices[by][1], f"by_{by}")
        shown = rows.assign(won=rows["win_rate"] * 100, of=rows["share"] * 100)
        table(shown, _columns(currency, choices[by][0]), f"Metrics by {choices[by][0].lower()}", row_height=26)


def _columns(currency: str, title: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "group": config.TextColumn(title, width=110),
        "trades": config.NumberColumn("Trades", format="localized", width=60),
        "won": config.NumberColumn("Win rate, %", format="%.0f", width=76),
        "net": config.NumberColumn(f"Net, {currency}", format="localized", width=82, step=1),
        "r_mean": config.NumberColumn("Mean, R", format="%+.3f", width=66),
        "profit_factor": config.NumberColumn("Profit factor", format="%.2f", width=84, help="Gross profit ÷ gross loss."),
        "of": config.NumberColumn("Share, %", format="%+.0f", width=66, help="Share of net PnL: net of the group over the size of the net of all trades."),
    }
