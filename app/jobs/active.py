"""The jobs that are queued or running, with their progress and a way to cancel them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import since
from worker.desk import Desk, JobFilter
from worker.desk.jobs import OPEN

MOST = 8        # drawn with a bar


def active_jobs(desk: Desk) -> None:
    """Draw them; their bars move by themselves, and the page is redrawn once one has ended or begun."""
    jobs = desk.jobs.matching(ACTIVE, MOST)
    if jobs:
        st.fragment(_draw, run_every=1.0)(desk, [(job.id, job.state) for job in jobs])


ACTIVE = JobFilter(OPEN)


def _draw(desk: Desk, before: list[tuple[str, str]]) -> None:
    jobs = desk.jobs.matching(ACTIVE, MOST)
    if [(job.id, job.state) for job in jobs] != before:
        st.rerun()
    for job in jobs:
        _bar(desk, job)


def _bar(desk: Desk, job: Any) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(job.title)}** `{job.id}`", width="content")
            st.caption(literal(since(desk, job, desk.jobs.now())), width="content")
            st.space("stretch")
            if st.button("Cancel", key=f"list-cancel-{job.id}", type="tertiary", **allowed(desk, "jobs.cancel", disabled=bool(job.cancelled_by))):
                desk.jobs.cancel(job.id)
                st.rerun(scope="fragment")
        st.progress(job.progress, text=literal(job.note) if job.note and job.started_at else None)
