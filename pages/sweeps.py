"""Optimization: grid search, walk-forward, Bayesian search; submit, watch, read."""

from __future__ import annotations

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.altered import altered_runs
from app.kit.page import Page
from app.kit.widgets import head, job_panel, nothing
from app.sweeps import lists, search, sweep, walk
from app.sweeps.form import form
from app.sweeps.running import best_so_far

PAGE = Page("Optimization", "Research", 45, "grid_on")
RESULTS = {"sweep": sweep.result, "walk_forward": walk.result, "optimise": search.result}


def render(desk) -> None:
    job = desk.jobs.get(address_value("job"))     # read first, so that its run is among the runs
    if job and job.state == "done" and job.result.get("run"):
        st.query_params.from_dict({"run": job.result["run"]})
    runs, named = lists.runs(desk), desk.sweeps.find(address_value("run"))
    run = named if named and named.kind in RESULTS else None
    head("Optimization", run.name if run else "", (lambda: lists.actions(desk, run)) if run else None)
    for name, what, there in (("run", "optimization", run), ("job", "job", job or run)):
        if address_value(name) and there is None:
            missing(what, address_value(name), "Choose one below.")
    with st.expander(lists.sentence(desk, run) if run else "Optimization settings", expanded=run is None and job is None, icon=":material/edit:"):
        form(desk, run)
    if job and job.state != "done":
        if job_panel(desk, job) and job.open:
            best_so_far(desk, job)
    elif run:
        RESULTS[run.kind](desk, run)
    elif not runs and desk.data.catalogue():
        nothing("No optimizations yet", "Select the parameters to vary above. A hundred combinations on a year of M15 bars take a few seconds.")
    altered_runs(desk, *RESULTS)
    lists.earlier(desk, runs, run)
