"""Backtest: choose, submit, watch, read."""

from __future__ import annotations

import streamlit as st

from app import batches, results
from app.backtest_form import form
from app.laboratory import compare
from app.laboratory.record import delete_run, name_run
from app.laboratory.tabs import views
from app.laboratory.take import export
from app.laboratory.verdict import first_screen
from app.page import Page
from app.tables import run_columns, runs_frame
from app.text import literal
from app.widgets import go, head, job_panel, nothing, section, table

PAGE = Page("Backtest", "Research", 40, "candlestick_chart")


def render(desk) -> None:
    job = desk.jobs.get(st.query_params.get("job", ""))     # first: what it has made is then among the runs
    if job and job.state == "done":
        st.query_params.from_dict({"run": job.result["run"]})
    runs = desk.backtests.latest()
    batch = next((one for one in desk.batches.latest(200) if one.id == st.query_params.get("batch")), None)
    run, other = (desk.backtests.find(st.query_params.get(name, "")) for name in ("run", compare.OTHER))
    head("Backtest", run.name if run else "", (lambda: actions(desk, runs, run)) if run else None)
    with st.expander(results.sentence(desk, run) if run else "Choose what to test", expanded=run is None and job is None and batch is None, icon=":material/edit:"):
        form(desk, run)
    if job and job.state != "done":
        if job_panel(desk, job) and job.open:
            for height in (60, 294):
                st.skeleton(height)
    elif batch:
        batches.view(desk, batch)
    elif run and other:
        compare.view(desk, run, other)
    elif run:
        believed = desk.beliefs.of(run.id)
        first_screen(desk, run, believed)
        views(desk, run, believed)
    elif "run" in st.query_params or "batch" in st.query_params:
        st.warning(f"There is no run {literal(st.query_params.get('run') or st.query_params['batch'])}. It may have been deleted; choose one below.", icon=":material/warning:")
    elif not runs:
        nothing("No run yet", "Pick a strategy, bars and a span above. A year of M5 bars takes about a second.")
    batches.earlier(desk, batch.id if batch else "")
    earlier(runs, run)


def actions(desk, runs, run) -> None:
    if st.button("New", icon=":material/add:", help="A new question; this run stays in the list."):
        go("backtest")
    with st.popover("Compare…", icon=":material/compare_arrows:"):
        compare.picker(runs, run)
    with st.popover("Export", icon=":material/download:"):
        export(desk, run)
    if st.button("Name…", icon=":material/label:"):
        name_run(desk, run)
    if st.button("Delete…", icon=":material/delete:", type="tertiary"):
        delete_run(desk, run)


def earlier(runs, run) -> None:
    others = [one for one in runs if run is None or one.id != run.id]
    if not others:
        return
    section("Earlier runs", "newest first; choose one to open it")
    row = table(runs_frame(others), run_columns(), "Earlier runs with equity, net result, drawdown and trades", key=f"earlier-{run.id if run else ''}", pick=True)
    if row is not None:
        go("backtest", run=others[row].id)
