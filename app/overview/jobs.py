"""The list of jobs: active ones with their progress and a way to cancel them, then finished ones."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.tables import jobs_frame, state_column
from app.kit.text import literal
from app.kit.widgets import failure, section, since, table
from worker.desk import Desk

SHOWN = 12


def jobs_view(desk: Desk) -> None:
    """Draw the list; it refreshes by itself while a job is active."""
    busy = any(job.open for job in desk.jobs.latest(limit=SHOWN))
    st.fragment(_draw, run_every=1.0 if busy else None)(desk, busy)


def _draw(desk: Desk, was_busy: bool) -> None:
    jobs = desk.jobs.latest(limit=SHOWN)
    if was_busy and not any(job.open for job in jobs):
        st.rerun()
    section("Jobs", "newest first")
    for job in [job for job in jobs if job.open]:
        _open(desk, job)
    for job in [job for job in jobs if job.state in ("failed", "cancelled")][:3]:
        _stopped(desk, job)
    now = desk.jobs.now()
    config = st.column_config
    columns = {
        "job": config.TextColumn("Job", width=134),
        "state": state_column(76),
        "took": config.TextColumn("Duration", width=66),
        "actor": config.TextColumn("User", width=66),
        "id": config.TextColumn("Id", width=66),
        "created": config.TextColumn("Submitted, UTC", width=130),
    }
    table(jobs_frame(jobs, lambda job: desk.jobs.seconds(job, now)), columns, "The latest jobs with state, duration and who started them")


def _open(desk: Desk, job: Any) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(job.title)}** `{job.id}`", width="content")
            st.caption(literal(since(desk, job, desk.jobs.now())), width="content")
            st.space("stretch")
            if st.button("Cancel", key=f"list-cancel-{job.id}", type="tertiary", disabled=bool(job.cancelled_by)):
                desk.jobs.cancel(job.id)
                st.rerun(scope="fragment")
        st.progress(job.progress, text=literal(job.note) or None)


def _stopped(desk: Desk, job: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        mark = ":red[:material/error:]" if job.state == "failed" else ":gray[:material/block:]"
        error = job.error or {}
        text = failure(error) if job.state == "failed" else f"Cancelled. {desk.jobs.left(job).sentence}"
        st.markdown(f"{mark} **{literal(job.title)}** `{job.id}`: {literal(text)}", width="stretch")
        if st.button("Retry", key=f"list-retry-{job.id}", type="tertiary"):
            desk.jobs.retry(job.id)
            st.rerun()
