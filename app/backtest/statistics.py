"""Every metric of a run by family, each with its definition."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.panels import headed, read
from app.kit.figures import DASH, THIN, pips, typeset, valued
from app.kit.widgets import section
from worker.desk import Desk

SIGNED = ("net_return", "net_profit", "annual_return")      # changes carry their sign


def view(desk: Desk, run: Any) -> None:
    metrics, families = read(desk, "metrics", run.id), desk.backtests.families()
    instruments = desk.backtests.instruments_of(run.id)
    note = f"{len(metrics)} metrics after all costs; “?” shows the definition of each"
    headed(desk, run, "All statistics", note, "metrics")
    for key, rows in metrics.groupby("family", sort=False):
        section(families[str(key)])
        _family(rows, run.summary["currency"], instruments[0].pip if len(instruments) == 1 else None)


def shown(row: Any, currency: str, pip: float | None) -> str:
    """A metric with its unit; a price as pips where there is one instrument.

    >>> shown({"key": "longest_drawdown", "value": 723.4, "unit": "days"}, "USD", None)
    '723.4\u202fdays'
    >>> shown({"key": "mean_spread", "value": 0.00013, "unit": "price"}, "USD", 0.0001)
    '1.30\u202fpips'
    """
    if row["unit"] == "price" and pip is not None:
        return pips(row["value"], pip, 2)
    text = valued(row["value"], row["unit"], currency, row["key"] in SIGNED)
    return text if text == DASH or row["unit"] not in ("days", "bars") else f"{text}{THIN}{row['unit']}"


def _family(rows: pd.DataFrame, currency: str, pip: float | None) -> None:
    with st.grid(len(rows), min_column_width=116, gap="xsmall"):
        for row in rows.to_dict("records"):
            text = shown(row, currency, pip)
            source = f" Source: {row['source']}." if row["source"] else ""
            st.metric(row["title"], text, help=typeset(row["definition"] + source))
