"""Backtest: settings, submit, watch, read."""

from __future__ import annotations

import streamlit as st

from app.backtest import batches, compare, summary
from app.backtest.export import export
from app.backtest.form import form
from app.backtest.record import delete_run
from app.backtest.tabs import views
from app.backtest.verdict import first_screen
from app.kit.address import address_value, missing
from app.kit.altered import altered_runs
from app.kit.naming import name_run
from app.kit.page import Page
from app.kit.rights import allowed
from app.kit.tables import run_columns, runs_frame
from app.kit.widgets import go, head, job_panel, nothing, section, table

PAGE = Page("Backtest", "Research", 40, "candlestick_chart")


def render(desk) -> None:
    job = desk.jobs.get(address_value("job"))     # read first, so that its run is among the runs
    if job and job.state == "done" and job.result.get("run"):
        st.query_params.from_dict({"run": job.result["run"]})
    runs = desk.backtests.latest()
    batch = next((batch for batch in desk.batches.latest(200) if batch.id == address_value("batch")), None)
    run, other = (desk.backtests.find(address_value(name)) for name in ("run", compare.OTHER))
    head("Backtest", run.name if run else "", (lambda: actions(desk, runs, run)) if run else None)
    not_there(job, batch, run, other)
    with st.expander(summary.sentence(desk, run) if run else "Backtest settings", expanded=run is None and job is None and batch is None, icon=":material/edit:"):
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
        evidence = desk.robustness.of(run.id)
        first_screen(desk, run, evidence)
        views(desk, run, evidence)
    elif not runs:
        nothing("No backtests yet", "Choose a strategy, data and a date range above. Once the engine is compiled, a year of M5 bars takes about a second.")
    altered_runs(desk, "backtest", "batch")
    batches.earlier(desk, batch.id if batch else "")
    earlier(runs, run)


def not_there(job, batch, run, other) -> None:
    """Warn of each id in the address that names nothing."""
    for name, what, there in (("run", "run", run), ("batch", "batch", batch), ("job", "job", job or run), (compare.OTHER, "run", other)):
        if address_value(name) and there is None:
            missing(what, address_value(name), "Choose one below.")


def actions(desk, runs, run) -> None:
    if st.button("New", icon=":material/add:", help="A new backtest; this run stays in the list."):
        go("backtest")
    with st.popover("Compare…", icon=":material/compare_arrows:"):
        compare.picker(runs, run)
    with st.popover("Export", icon=":material/download:"):
        export(desk, run)
    if st.button("Name…", icon=":material/label:", **allowed(desk, "backtests.rename")):
        name_run(desk, run)
    if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "backtests.delete")):
        delete_run(desk, run)


def earlier(runs, run) -> None:
    others = [other for other in runs if run is None or other.id != run.id]
    if not others:
        return
    section("Earlier runs", "newest first; select one to open it")
    row = table(runs_frame(others), run_columns(), "Earlier runs with equity, net result, drawdown and trades", key=f"earlier-{run.id if run else ''}", pick=True)
    if row is not None:
        go("backtest", run=others[row].id)
