"""The preview: what the conditions of a strategy would have given on the last bars of a dataset."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.address import address_value
from app.kit.figures import clock, number, plural
from app.kit.widgets import figures, job_panel, section, table
from worker.desk import Desk

TITLES = dict(long="Long when", short="Short when", exit_long="Exit long when", exit_short="Exit short when")


def preview(desk: Desk) -> None:
    """The preview that the address names: its job while that is open, then what it found."""
    job = desk.jobs.get(address_value("job"))
    if job is None:
        return
    if job.state != "done":
        job_panel(desk, job)
        return
    result(desk.strategies.preview(job.result["run"]))


def result(run: Any) -> None:
    preview = run.summary
    section("Preview", f"{number(preview['bars'])} bars of {preview['instrument']} {preview['timeframe']}, {_day(preview['first'])} to {_day(preview['last'])} UTC; signals only, nothing is traded")
    figures([
        ("Long signals", number(preview["longs"]), "entries", "Bars on which the long condition becomes true."), ("Short signals", number(preview["shorts"]), "entries", "Bars on which the short condition becomes true."),
        ("Exit signals", number(preview["exits"]), "bars", "Bars on which an exit condition is true."), ("Between entries", _gap(preview), "bars, mean", "Bars over signals."),
    ])  # fmt: skip
    left, right = st.columns([3, 4], gap="medium")
    with left:
        counts = pd.DataFrame([dict(condition=TITLES[name], **values) for name, values in preview["conditions"].items()])
        config = st.column_config
        table(counts, dict(condition=config.TextColumn("Condition", width=120), true=config.NumberColumn("True", format="localized", width=72), false=config.NumberColumn("False", format="localized", width=72), unknown=config.NumberColumn("Unknown", format="localized", width=80)), "How often each condition is true, false and unknown")
    with right:
        if not preview["latest"]:
            st.caption("No entry in these bars: the conditions never become true. Loosen one, or choose other bars.")
            return
        rows = pd.DataFrame([dict(row, ts=clock(datetime.fromisoformat(row["ts"]))) for row in reversed(preview["latest"])])
        config = st.column_config
        table(rows, dict(ts=config.TextColumn("UTC", width=124), side=config.TextColumn("Side", width=60), close=config.NumberColumn("Close", width=90), stop=config.NumberColumn("Stop", format="%.6g", width=90)), f"The last {plural(len(rows), 'entry', 'entries')}")


def _gap(preview: dict[str, Any]) -> str:
    signals = preview["longs"] + preview["shorts"]
    return number(round(preview["bars"] / signals)) if signals else "—"


def _day(text: str) -> str:
    return text[:10]
