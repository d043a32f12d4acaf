"""Every metric of a run by family, in columns: all trades, long, short, and buy and hold; each with its definition."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.metric_table import defined, metric_table
from app.backtest.panels import headed, read
from app.kit.figures import DASH, THIN, pips, valued
from app.kit.text import literal
from app.kit.widgets import table
from worker.desk import Desk

SIGNED = ("net_return", "net_profit", "annual_return")      # changes carry their sign


def view(desk: Desk, run: Any) -> None:
    rows, families = read(desk, "statistics", run.id), desk.backtests.families()
    headed(desk, run, "All statistics", f"{len(rows)} metrics after all costs; point at a name for its definition", "statistics")
    instruments = desk.backtests.instruments_of(run.id)
    pip, columns = instruments[0].pip if len(instruments) == 1 else None, desk.run_tables.columns()
    text = {column: [shown(row, run.summary["currency"], pip, column) for row in rows.to_dict("records")] for column in columns}
    metric_table(rows.assign(**text), families, columns, "All statistics")
    st.caption(held(run))
    with st.expander("Definitions", icon=":material/help:"):
        listed = rows.assign(definition=[defined(row) for row in rows.to_dict("records")])
        table(listed, {"title": st.column_config.TextColumn("Metric", width=190), "definition": st.column_config.TextColumn("Definition", width=640)}, "Definition of each metric")


def held(run: Any) -> str:
    """What buy and hold is of, in this run."""
    benchmark = run.summary.get("benchmark")
    if benchmark is None:
        return "Buy and hold: this run is older than the benchmark. Run the backtest again to compute it."
    return f"Buy and hold: {literal(benchmark['sentence'])} Long and Short: figures that need the equity of one side do not exist, for both share one balance."


def shown(row: Any, currency: str, pip: float | None, column: str = "value") -> str:
    """A metric with its unit; a price as pips where there is one instrument.

    >>> shown({"key": "longest_drawdown", "value": 723.4, "unit": "days"}, "USD", None)
    '723.4\\u202fdays'
    >>> shown({"key": "mean_spread", "value": 0.00013, "unit": "price"}, "USD", 0.0001)
    '1.30\\u202fpips'
    """
    value = None if pd.isna(row[column]) else float(row[column])
    if row["unit"] == "price" and pip is not None:
        return pips(value, pip, 2) if value is not None else DASH
    text = valued(value, row["unit"], currency, row["key"] in SIGNED)
    return text if text == DASH or row["unit"] not in ("days", "bars") else f"{text}{THIN}{row['unit']}"
