"""Every metric of a run by family, in columns: all trades, long, short, and buy and hold; each with its definition."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.panels import headed, read
from app.kit.figures import DASH, THIN, pips, typeset, valued
from app.kit.text import literal
from app.kit.widgets import table
from worker.desk import Desk

SIGNED = ("net_return", "net_profit", "annual_return")      # changes carry their sign
STYLE = """<style>
.statistics { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.93rem; }
.statistics th, .statistics td { padding: 3px 8px; text-align: right; border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); white-space: nowrap; }
.statistics th:first-child { text-align: left; font-weight: 400; white-space: normal; }
.statistics th[title] { cursor: help; text-decoration: underline dotted color-mix(in srgb, currentColor 45%, transparent); text-underline-offset: 3px; }
.statistics thead th, .statistics .family th { font-weight: 600; }
.statistics .family th { padding-top: 14px; text-decoration: none; }
.statistics td:nth-child(2) { font-weight: 600; }
.statistics-scroll { overflow-x: auto; }
</style>"""


def view(desk: Desk, run: Any) -> None:
    rows, families = read(desk, "statistics", run.id), desk.backtests.families()
    headed(desk, run, "All statistics", f"{len(rows)} metrics after all costs; point at a name for its definition", "statistics")
    instruments = desk.backtests.instruments_of(run.id)
    st.html(STYLE + document(rows, families, desk.run_tables.columns(), run.summary["currency"], instruments[0].pip if len(instruments) == 1 else None))
    st.caption(held(run))
    with st.expander("Definitions", icon=":material/help:"):
        shown = rows.assign(definition=[typeset(definition + (f" Source: {source}." if source else "")) for definition, source in zip(rows["definition"], rows["source"], strict=True)])
        table(shown, {"title": st.column_config.TextColumn("Metric", width=190), "definition": st.column_config.TextColumn("Definition", width=640)}, "Definition of each metric")


def held(run: Any) -> str:
    """What buy and hold is of, in this run."""
    benchmark = run.summary.get("benchmark")
    if benchmark is None:
        return "Buy and hold: this run is older than the benchmark. Run the backtest again to compute it."
    return f"Buy and hold: {literal(benchmark['sentence'])} Long and Short: figures that need the equity of one side do not exist, for both share one balance."


def document(rows: pd.DataFrame, families: dict[str, str], columns: dict[str, tuple[str, str]], currency: str, pip: float | None) -> str:
    """The table as HTML, a group of rows a family."""
    heads = "".join(f'<th scope="col" title="{escape(definition)}">{escape(title)}</th>' for title, definition in columns.values())
    groups = "".join(_group(families[str(name)], part, list(columns), currency, pip) for name, part in rows.groupby("family", sort=False))
    return f'<div class="statistics-scroll" tabindex="0" role="region" aria-label="All statistics"><table class="statistics"><thead><tr><th scope="col">Metric</th>{heads}</tr></thead>{groups}</table></div>'


def _group(title: str, rows: pd.DataFrame, columns: list[str], currency: str, pip: float | None) -> str:
    lines = [f'<tr class="family"><th scope="rowgroup" colspan="{len(columns) + 1}">{escape(title)}</th></tr>']
    for row in rows.to_dict("records"):
        definition = typeset(row["definition"] + (f" Source: {row['source']}." if row["source"] else ""))
        cells = "".join(f"<td>{escape(shown(row, currency, pip, column))}</td>" for column in columns)
        lines.append(f'<tr><th scope="row" title="{escape(definition)}">{escape(row["title"])}</th>{cells}</tr>')
    return f"<tbody>{''.join(lines)}</tbody>"


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
