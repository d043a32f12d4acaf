"""Equity, balance and worst intrabar equity, and the largest drawdowns."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest import charts as pictures
from app.backtest import regimes
from app.backtest.panels import headed, read
from app.kit.figures import DASH
from app.kit.widgets import table
from worker.desk import Desk

CURVES = {"equity": "Equity", "balance": "Balance", "equity_low": "Equity low (worst intrabar)"}
NAMED = 3       # largest drawdowns that the chart names


def view(desk: Desk, run: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        curve = st.segmented_control("Curve", list(CURVES), default="equity", format_func=CURVES.__getitem__, key="curve", label_visibility="collapsed", required=True)
        st.space("stretch")
        chosen = regimes.pick(desk, run, "bands_by", none="No regime shading")
    behind = regimes.bands(desk, run, chosen)
    falls = read(desk, "drawdowns", run.id, curve)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        headed(desk, run, CURVES[curve], f"{run.summary['currency']}. {desk.run_tables.curves()[curve]}")
        st.altair_chart(pictures.curve_pair(read(desk, "curve", run.id, curve), falls.head(NAMED), run.summary["currency"], behind=behind and behind[:2]), width="stretch", alt="The curve, and its drawdown")
        if behind:
            st.caption(behind[2])
    with right:
        headed(desk, run, "Largest drawdowns", "largest first, UTC", "drawdowns" if curve == "equity" else "")
        table(_shown(falls), _columns(run.summary["currency"]), "The largest drawdowns with dates, depth and length")


def _shown(falls: pd.DataFrame) -> pd.DataFrame:
    days = {name: falls[name].dt.strftime("%Y-%m-%d").fillna(DASH) for name in ("peak_ts", "trough_ts", "recovery_ts")}
    return falls.assign(**days, depth=falls["share"] * 100)


def _columns(currency: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "depth": config.NumberColumn("Depth, %", format="%.1f", width=58),
        "money": config.NumberColumn(currency, format="localized", width=70, step=1),
        "peak_ts": config.TextColumn("Peak", width=80),
        "recovery_ts": config.TextColumn("Recovered", width=80, help="— where the peak was not reached again."),
        "days": config.NumberColumn("Days", format="%.0f", width=50, help="From the peak until it was reached again, or to the end."),
    }
