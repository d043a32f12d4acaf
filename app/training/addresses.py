"""What the address names: a job of training, a run, a version of a model; and how a view is opened."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.widgets import go
from worker.desk import Desk, Refused, TrainingRequest

PAGE, KIND = "training", "train"


def open_view(view: str, **query: str) -> None:
    """Open a view of this page; the first one leaves the address clean."""
    go(PAGE, **({} if view == "train" else {"view": view}), **query)


def job_of_address(desk: Desk) -> Any:
    """The job that the address names, None where there is none; one that is done gives way to its run."""
    wanted = address_value("job")
    job = desk.jobs.get(wanted) if wanted else None
    if wanted and (job is None or job.kind != KIND):
        missing("job", wanted, "Choose a run in the view Result.")
        return None
    if job is not None and job.state == "done" and job.result.get("run"):
        st.query_params.from_dict({"view": "result", "run": str(job.result["run"])})
        st.rerun()
    return job


def run_of_address(desk: Desk) -> Any:
    """The run that the address names, else the newest; None where there is none."""
    wanted, runs = address_value("run"), desk.training.latest()
    if not wanted:
        return runs[0] if runs else None
    run = next((run for run in runs if run.id == wanted), None)
    if run is None:
        missing("run", wanted, "Choose one below.")
    return run


def request_of(desk: Desk, run: Any) -> TrainingRequest | None:
    """The request of a run, or of a job that has none; None where its data was deleted, so that it cannot be requested again."""
    try:
        return desk.training.request_from(run.spec)
    except Refused:
        return None


def to_results(desk: Desk) -> None:
    """The way to a first model: the results, or where there are none the form."""
    trained = bool(desk.training.latest(1))
    if st.button("Open the results" if trained else "Train a model", type="primary", icon=":material/model_training:"):
        open_view("result" if trained else "train")
