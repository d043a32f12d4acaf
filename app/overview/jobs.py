"""The jobs of the Overview page: active ones with their progress, those that stopped and nobody has dismissed, and the newest."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.jobs.active import active_jobs
from app.jobs.heading import STOPPED
from app.kit.rights import allowed
from app.kit.tables import jobs_frame, state_column
from app.kit.text import literal
from app.kit.widgets import failure, go, section, table
from worker.desk import Desk

SHOWN, REMINDED = 8, 3


def jobs_view(desk: Desk) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Jobs", "newest first")
        st.space("stretch")
        if st.button("All jobs", type="tertiary", key="all-jobs"):
            go("jobs")
    active_jobs(desk)
    for job in desk.jobs.matching(STOPPED, REMINDED):
        _stopped(desk, job)
    now = desk.jobs.now()
    columns = {"job": st.column_config.TextColumn("Job", width=180), "state": state_column(86), "took": st.column_config.TextColumn("Duration", width=76)}
    table(jobs_frame(desk.jobs.latest(limit=SHOWN), lambda job: desk.jobs.seconds(job, now)), columns, "The latest jobs with state and duration")


def _stopped(desk: Desk, job: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        mark = ":red[:material/error:]" if job.state == "failed" else ":gray[:material/block:]"
        text = failure(job.error or {}) if job.state == "failed" else f"Cancelled. {desk.jobs.left(job).sentence}"
        st.markdown(f"{mark} **{literal(job.title)}** `{job.id}`: {literal(text)}", width="stretch")
        with st.container(horizontal=True, gap="xsmall", width="content"):
            if st.button("Retry", key=f"list-retry-{job.id}", type="tertiary", **allowed(desk, "jobs.retry")):
                desk.jobs.retry(job.id)
                st.rerun()
            if st.button("Dismiss", key=f"list-dismiss-{job.id}", type="tertiary", help="It stays in the list of all jobs."):
                desk.jobs.dismiss([job.id])
                st.rerun()
