"""Every metric of a run by family, each with its definition."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.panels import headed, read
from app.kit.figures import typeset, valued
from app.kit.widgets import section
from worker.desk import Desk

SIGNED = ("net_return", "net_profit", "annual_return")      # changes carry their sign


def view(desk: Desk, run: Any) -> None:
    metrics, families = read(desk, "metrics", run.id), desk.backtests.families()
    note = f"{len(metrics)} metrics after all costs; “?” shows the definition of each"
    headed(desk, run, "All statistics", note, "metrics")
    for key, rows in metrics.groupby("family", sort=False):
        section(families[str(key)])
        _family(rows, run.summary["currency"])


def _family(rows: pd.DataFrame, currency: str) -> None:
    with st.grid(len(rows), min_column_width=116, gap="xsmall"):
        for row in rows.to_dict("records"):
            text = valued(row["value"], row["unit"], currency, row["key"] in SIGNED)
            source = f" Source: {row['source']}." if row["source"] else ""
            st.metric(row["title"], text, help=typeset(row["definition"] + source))
