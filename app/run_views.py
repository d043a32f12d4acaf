"""The quieter views of a run, and what can be done with it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import charts
from app.figures import exact, number, plural, short
from app.tables import event_columns, events_frame, pairs_frame
from app.widgets import go, section, table
from worker.desk import Desk


def months_view(desk: Desk, run: Any) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        section("Months", "net return of each month, UTC")
        st.altair_chart(charts.months(desk.backtests.monthly(run.id)), width="stretch", alt="Net return of each month and year")
    with right:
        section("Result of a trade", "R, quarter bins; dashed: the mean")
        st.altair_chart(charts.histogram(desk.backtests.trades(run.id)["r"].tolist()), width="stretch", alt="How many trades ended with which result in R")


def costs_view(desk: Desk, run: Any) -> None:
    m, currency = run.summary["metrics"], run.summary["currency"]
    gross = m["net_profit"] + m["spread_paid"] + m["slippage_paid"] + m["commission_paid"] - m["swap"]
    steps = [("gross", gross), ("spread", -m["spread_paid"]), ("slippage", -m["slippage_paid"]), ("commission", -m["commission_paid"]), ("swap", m["swap"]), ("net", m["net_profit"])]
    left, right = st.columns([3, 2], gap="medium")
    with left:
        section("From gross to net", f"{currency}, the same fills assumed without costs")
        st.altair_chart(charts.waterfall(steps, currency), width="stretch", alt="What spread, slippage, commission and swap took from the gross result")
    with right:
        section("The rules of this run")
        rules = {f"{name} · {key.replace('_', ' ')}": "of the instrument" if value is None else exact(value) for name in ("account", "costs", "execution", "sizing") for key, value in run.spec[name].items()}
        table(pairs_frame(rules, "Rule", "Value"), {"Rule": "Rule", "Value": "Value"}, "Account, costs, execution and sizing of this run")


def manifest_view(desk: Desk, run: Any) -> None:
    manifest = run.manifest
    section("What decided this result", "the same question on the same code gives the same bytes")
    rows = {
        "Question": manifest["spec_hash"],
        "Code of the engine": manifest["code"],
        **{f"Bars {one['instrument']} {one['timeframe']}, {one['bars']:,}": one["version"] for one in manifest["spec"]["data"]},
        **{f"Result: {name}": hash_ for name, hash_ in run.frames.items()},
        **{name: version for name, version in manifest["libraries"].items()},
    }
    columns = {"What": st.column_config.TextColumn("What", width=240), "Hash or version": st.column_config.TextColumn("Hash or version", width=520)}
    table(pd.DataFrame(list(rows.items()), columns=["What", "Hash or version"]), columns, "Hashes of data, code and results, and versions of libraries")


def audit_view(desk: Desk, run: Any) -> None:
    events = sorted({event.seq: event for entity in (f"run:{run.id}", f"job:{run.job_id}") for event in desk.trail.story(entity)}.values(), key=lambda event: event.seq)
    section("The trail of this run", f"{plural(len(events), 'event')} about run {run.id} and job {run.job_id}, oldest first")
    table(events_frame(events), event_columns(), "Audit events of this run")
    if st.button("Open the audit trail", type="tertiary", icon=":material/open_in_new:"):
        go("audit", entity=f"run:{run.id}")


@st.dialog("Name this run")
def name_run(desk: Desk, run: Any) -> None:
    with st.form("name", border=False):
        name = st.text_input("Name", run.name, max_chars=120)
        note = st.text_area("Note", run.note, max_chars=2_000)
        if st.form_submit_button("Keep name and note", type="primary"):
            desk.backtests.rename(run.id, name, note)
            st.rerun()


@st.dialog("Delete this run?")
def delete_run(desk: Desk, run: Any) -> None:
    trades = number(run.summary["metrics"]["trades"])
    st.markdown(f"**{run.name or run.title}** `{run.id}` with {trades} trades is removed. Its audit events stay, and name the hashes of its results: {', '.join(short(hash_) for hash_ in run.frames.values())}.")
    if st.button("Delete run", type="primary", icon=":material/delete:"):
        desk.backtests.delete(run.id)
        go("backtest")
