"""Sweeps: vary parameters, walk forward, search; submit, watch, read."""

from __future__ import annotations

import streamlit as st

from app.kit.page import Page
from app.kit.text import literal
from app.kit.widgets import head, job_panel, nothing
from app.sweeps import lists, search, sweep, walk
from app.sweeps.form import form

PAGE = Page("Sweeps", "Research", 45, "grid_on")
RESULTS = {"sweep": sweep.result, "walk_forward": walk.result, "optimise": search.result}


def render(desk) -> None:
    job = desk.jobs.get(st.query_params.get("job", ""))     # first: what it has made is then among the runs
    if job and job.state == "done":
        st.query_params.from_dict({"run": job.result["run"]})
    runs, found = lists.runs(desk), desk.sweeps.find(st.query_params.get("run", ""))
    run = found if found and found.kind in RESULTS else None
    head("Sweeps", run.name if run else "", (lambda: lists.actions(desk, run)) if run else None)
    with st.expander(lists.sentence(desk, run) if run else "Choose what to vary", expanded=run is None and job is None, icon=":material/edit:"):
        form(desk, run)
    if job and job.state != "done":
        if job_panel(desk, job) and job.open:
            for height in (60, 300):
                st.skeleton(height)
    elif run:
        RESULTS[run.kind](desk, run)
    elif "run" in st.query_params:
        st.warning(f"There is no sweep {literal(st.query_params['run'])}. It may have been deleted; choose one below.", icon=":material/warning:")
    elif not runs and desk.data.catalogue():
        nothing("No sweep yet", "Tick the parameters to vary above. A hundred combinations on a year of M15 bars take some seconds.")
    lists.earlier(desk, runs, run)
