"""Inputs and hashes of a run, its audit trail, and deleting it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest import reproduce
from app.kit.figures import number, plural, short
from app.kit.rights import allowed
from app.kit.tables import event_columns, events_frame
from app.kit.text import literal
from app.kit.widgets import go, section, table
from worker.desk import Desk


def manifest_view(desk: Desk, run: Any) -> None:
    manifest = run.manifest
    rows = {
        "Spec hash": manifest["spec_hash"],
        "Engine version": manifest["code"],
        **{f"Bars {dataset['instrument']} {dataset['timeframe']}, {dataset['bars']:,}": dataset["version"] for dataset in manifest["spec"]["data"]},
        **{f"Result: {name}": hash_ for name, hash_ in run.frames.items()},
        **{name: version for name, version in manifest["libraries"].items()},
    }
    columns = {"Input": st.column_config.TextColumn("Input", width=180), "Hash or version": st.column_config.TextColumn("Hash or version", width=420)}
    left, right = st.columns([3, 2], gap="medium")
    with left:
        section("Inputs and hashes", "the same settings, data and engine version give an identical result")
        table(pd.DataFrame(list(rows.items()), columns=["Input", "Hash or version"]), columns, "Hashes of data, code and results, and versions of libraries")
    with right:
        reproduce.view(desk, run)


def audit_view(desk: Desk, run: Any) -> None:
    events = sorted({event.seq: event for entity in (f"run:{run.id}", f"job:{run.job_id}") for event in desk.trail.history(entity)}.values(), key=lambda event: event.seq)
    section("Audit trail of this run", f"{plural(len(events), 'event')} about run {run.id} and job {run.job_id}, oldest first")
    table(events_frame(events), event_columns(events), "Audit events of this run")
    if st.button("Open the audit trail", type="tertiary", icon=":material/open_in_new:"):
        go("audit", entity=f"run:{run.id}")


@st.dialog("Delete this run?")
def delete_run(desk: Desk, run: Any) -> None:
    trades = number(run.summary["metrics"]["trades"])
    st.markdown(f"**{literal(run.name or run.title)}** `{run.id}` with {trades} trades is removed. Its audit events stay, with the hashes of its results: {', '.join(short(hash_) for hash_ in run.frames.values())}. It stays counted as a trial, and notes on its trades stay with its settings. This cannot be undone; the same backtest run again gives the same result.")
    if st.button("Delete run", type="primary", icon=":material/delete:", **allowed(desk, "backtests.delete")):
        desk.backtests.delete(run.id)
        go("backtest")
