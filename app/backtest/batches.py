"""Batches: the same backtest on several series, each on a separate account."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import clock, plural
from app.kit.rights import allowed
from app.kit.tables import kind_column, kind_of, run_columns, runs_frame, state_column
from app.kit.text import literal
from app.kit.widgets import download, failure, go, section, table
from worker.desk import Desk

WIDTHS = {"run": 64, "bars": 250}


def view(desk: Desk, batch: Any) -> None:
    """Draw the batch; it refreshes by itself while a backtest is active."""
    busy = any(member.job.open for member in desk.batches.members(batch.id))
    st.fragment(_draw, run_every=1.0 if busy else None)(desk, batch, busy)


def _draw(desk: Desk, batch: Any, was_busy: bool) -> None:
    members = desk.batches.members(batch.id)
    open_ = [member for member in members if member.job.open]
    if was_busy and not open_:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{literal(batch.name or batch.title)}**", width="content")
        st.caption(f"{len(members) - len(open_)} of {plural(len(members), 'backtest')} finished; select one to open it", width="content")
        st.space("stretch")
        if open_:
            if st.button("Cancel all", icon=":material/close:", key=f"cancel-{batch.id}", **allowed(desk, "batches.cancel")):
                desk.batches.cancel(batch.id)
                st.rerun(scope="fragment")
        else:
            download("CSV", f"{batch.id}_batch.csv", "text/csv", partial(desk.batches.download, batch.id), f"take-{batch.id}")
            if st.button("Ungroup", icon=":material/delete:", type="tertiary", key=f"remove-{batch.id}", **allowed(desk, "batches.delete", help="Its runs stay in the list.")):
                desk.batches.delete(batch.id)
                go("backtest")
    if open_:
        st.progress(sum(member.job.progress if member.job.open else 1.0 for member in members) / len(members), text=literal(_note(open_)))
    row = table(_frame(desk, batch, members), _columns(), "The backtests of this batch with state, equity, net result, drawdown and trades", key=f"batch-{batch.id}", pick=True)
    run = members[row].run if row is not None else None
    if run is not None:
        go("backtest", run=run.id)
    for member in members:
        if member.job.state == "failed":
            st.caption(f":red[:material/error:] **{literal(member.job.title)}**: {literal(failure(member.job.error or {}))}")


def _note(open_: list[Any]) -> str:
    running = [member.job for member in open_ if member.job.started_at]
    return ", ".join(f"{job.title.partition(' · ')[2]}: {job.note}" for job in running[:4]) or "waiting for a worker"


def _frame(desk: Desk, batch: Any, members: list[Any]) -> pd.DataFrame:
    shown = desk.batches.table(batch.id)[["run", "job", "bars", "state"]]
    runs = runs_frame([member.run for member in members if member.run]).drop(columns=["name", "kind"])
    return shown.assign(state=[[state] for state in shown["state"]]).merge(runs, on="run", how="left")


def _columns() -> dict[str, Any]:
    config, columns = st.column_config, run_columns()
    return {"run": columns["run"], "bars": config.TextColumn("Data", width=WIDTHS["bars"]), "state": state_column(76), **{name: columns[name] for name in ("curve", "net", "drawdown", "trades", "factor")}}


def earlier(desk: Desk, shown: str = "") -> None:
    """List the latest batches; a selected batch is opened."""
    batches = [batch for batch in desk.batches.latest() if batch.id != shown]
    if not batches:
        return
    section("Batches", "separate accounts, newest first; select one to open it")
    rows = pd.DataFrame([dict(batch=batch.id, what=batch.name or batch.title, data=kind_of(batch.synthetic), created=clock(batch.created_at), actor=batch.actor) for batch in batches])
    config = st.column_config
    columns = {
        "batch": config.TextColumn("Batch", width=64),
        "what": config.TextColumn("Strategy", width=330),
        "data": kind_column(),
        "created": config.TextColumn("Created, UTC", width=120),
        "actor": config.TextColumn("User", width=90),
    }
    row = table(rows, columns, "Earlier batches", key=f"batches-{shown}", pick=True)
    if row is not None:
        go("backtest", batch=batches[row].id)
