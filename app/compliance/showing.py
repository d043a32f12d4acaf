"""Jobs of compliance on the page, each where its result will stand."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.widgets import job_panel
from worker.desk import Desk


def job_of(desk: Desk, place: str, job: Any, height: int = 120) -> bool:
    """Draw a job that has not succeeded; True while it is open, so that its result is not drawn in place of it."""
    if job is None or job.state == "done":
        return False
    with st.container(key=f"job-of-{place}"):
        job_panel(desk, job)
        if job.open:
            st.skeleton(height)
    return bool(job.open)
