"""Jobs that a view of a run started, and that the address names while they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.kit.widgets import attempt, job_panel
from worker.desk import Desk


def under_way(desk: Desk, name: str) -> bool:
    """Draw the job that the address has under ``name``; False where there is none. Where it is done, the page is drawn
    again without it."""
    job = desk.jobs.get(st.query_params.get(name, ""))
    if job and job_panel(desk, job):
        return True
    if job:         # it ended, perhaps after the page above was read
        del st.query_params[name]
        st.rerun()
    return False


def begin(name: str, submit: Callable[[], Any]) -> None:
    """Submit a job and show it; one that finished before shows its result at once."""
    submitted = attempt(submit)
    if submitted is not None:
        st.query_params[name] = submitted.job.id
        st.rerun()
