"""Scanner: every combination of instrument, strategy and timeframe at the last closed bar; submit, watch, read."""

from __future__ import annotations

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.altered import altered_runs
from app.kit.page import Page
from app.kit.widgets import go, head, job_panel, nothing
from app.paper import halts
from app.scanner import lists
from app.scanner.form import form
from app.scanner.result import result

PAGE = Page("Scanner", "Trade", 10, "radar")


def render(desk) -> None:
    job = desk.jobs.get(address_value("job"))     # read first, so that its run is among the runs
    if job and job.state == "done" and job.result.get("run"):
        st.query_params.from_dict({"run": job.result["run"]})
    run = desk.scanner.find(address_value("run"))
    runs = desk.scanner.latest()
    if not address_value("run") and not address_value("job"):
        job, run = job or desk.scanner.open_job(), run or next(iter(runs), None)
    head("Scanner", "three proposals at most; no order is sent", (lambda: lists.actions(desk, run)) if run else None)
    halts.banner(desk)
    for name, what, there in (("run", "scan", run), ("job", "job", job or run)):
        if address_value(name) and there is None:
            missing(what, address_value(name), "Choose one below.")
    if not desk.data.catalogue():
        return nothing("No data yet", "A scan needs prices. Import a file, or generate synthetic ones on the Data page.", _import)
    with st.expander(lists.sentence(run) if run else "Scan settings", expanded=run is None and job is None, icon=":material/edit:"):
        form(desk, run)
    if job and job.state != "done":
        if job_panel(desk, job) and job.open:
            for height in (90, 300):
                st.skeleton(height)
    elif run:
        result(desk, run)
    elif not runs:
        nothing("No scans yet", "Choose instruments, timeframes and strategies above. Each combination is a backtest; a hundred of them on a year of M15 bars take some seconds.")
    altered_runs(desk, "scan")
    lists.earlier(runs, run)


def _import() -> None:
    if st.button("Import a file", type="primary"):
        go("data", do="import")
