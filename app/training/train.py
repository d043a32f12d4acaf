"""The view Train: the question, then the job with its finished folds and live loss."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.figures import plural
from app.kit.folded import folded
from app.kit.text import literal
from app.kit.widgets import go, nothing
from app.training import question, running, tuning
from app.training.addresses import job_of_address, open_view, request_of
from worker.desk import Desk


def render(desk: Desk) -> None:
    """Draw the form; below it the job of the address."""
    if not desk.data.catalogue():
        return nothing("No data yet", "Training needs prices. Import a file, or generate synthetic ones on the Data page.", _import)
    job = job_of_address(desk)
    before, spec, key = _start(desk, job)
    failed = job is not None and job.state == "failed"
    if failed:
        running.running(desk, job)      # the sentence first, then the question that it asks to change
    sentence = question.sentence(desk, before) if before else "Question: target, learner, data, splits"
    folded(sentence, f"train-{key}-{'failed' if failed else 'asked'}", lambda: question.form(desk, before, spec, key), failed or (job is None and not address_value("tuning")))
    if job is not None and not failed:
        running.running(desk, job)
    elif job is None:
        _below(desk)


def _start(desk: Desk, job: Any) -> tuple[Any, Any, str]:
    """The request that the form begins with: that of the job, or of the run that the address names."""
    wanted = address_value("run")
    job = job or tuning.job_of_address(desk)
    if job is not None:
        return request_of(desk, job), job.spec, job.id
    if not wanted:
        return None, {}, "new"
    run = next((run for run in desk.training.latest() if run.id == wanted), None)
    if run is None:
        missing("run", wanted, "The form starts empty.")
        return None, {}, "new"
    return request_of(desk, run), run.spec, run.id


def _below(desk: Desk) -> None:
    """Jobs that run, and the way to the results."""
    tuning.panel(desk)
    if address_value("tuning"):
        return
    for job in [job for job in desk.jobs.latest(("train",), limit=6) if job.open]:
        if st.button(f"Running: {literal(job.title)}", icon=":material/progress_activity:", key=f"open-{job.id}", type="tertiary"):
            open_view("train", job=job.id)
    runs = desk.training.latest()
    if not runs:
        st.caption("Nothing was trained yet. A run trains baselines beside the model, permutes labels as a control, and counts as a trial.")
    elif st.button(f"{plural(len(runs), 'finished run')}", icon=":material/history:", type="tertiary"):
        open_view("result")


def _import() -> None:
    if st.button("Import a file", type="primary"):
        go("data", do="import")
