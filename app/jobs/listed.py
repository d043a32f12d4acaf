"""The list of jobs with the actions on the one that is selected."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from app.drawn import download_drawn
from app.jobs.places import place_of
from app.kit.figures import clock, lasted, plural
from app.kit.rights import allowed
from app.kit.tables import jobs_frame, state_column
from app.kit.text import literal
from app.kit.widgets import attempt, failure, go, nothing, section, since, table
from worker.desk import Desk, JobFilter

SIZE = 100      # jobs of one part of the list


def jobs_list(desk: Desk, which: JobFilter) -> None:
    """Draw the jobs in parts, and what can be done with the selected one."""
    shown = int(st.session_state.get("jobs-shown", SIZE))
    jobs = desk.jobs.matching(which, shown + 1)
    if not jobs:
        return nothing("No job fits", "Remove a filter, or start a backtest: every long task is a job.", _clear_button)
    more, jobs, now = len(jobs) > shown, jobs[:shown], desk.jobs.now()


    frame = jobs_frame(jobs, lambda job: desk.jobs.seconds(job, now))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        section("Jobs", f"{plural(len(jobs), 'job')}{', more below' if more else ''}, newest first; select one for what can be done")
        st.space("stretch")
        download_drawn("CSV", "jobs.csv", frame.assign(state=[job.state for job in jobs], seconds=[desk.jobs.seconds(job, now) for job in jobs]), "take-jobs")
    row = table(frame, _columns(), "Jobs with state, duration, user and note", key="jobs-list", pick=True)
    if more and st.button("Show more", icon=":material/expand_more:"):
        st.session_state["jobs-shown"] = shown + SIZE
        st.rerun()
    if row is not None and row < len(jobs):
        _chosen(desk, jobs[row], now)


def _clear_button() -> None:
    st.button("Clear the filters", on_click=_clear)


def _clear() -> None:
    st.query_params.clear()
    for name in ("text", "state", "kind", "user"):
        st.session_state.pop(f"jobs-{name}", None)


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "job": config.TextColumn("Job", width=280), "state": state_column(90), "share": config.ProgressColumn("Progress", width=90, format="percent", min_value=0.0, max_value=1.0),
        "took": config.TextColumn("Duration", width=76), "created": config.TextColumn("Submitted, UTC", width=140), "actor": config.TextColumn("User", width=90),
        "id": config.TextColumn("Id", width=90), "note": config.TextColumn("Note", width=260),
    }  # fmt: skip


def _chosen(desk: Desk, job: Any, now: Any) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.header(literal(job.title), anchor=False, width="content")
            st.caption(literal(_when(desk, job, now)), width="content")
            st.space("stretch")
            _actions(desk, job)
        if job.state == "failed":
            st.markdown(literal(failure(job.error or {})))
        if job.state in ("failed", "cancelled"):
            st.caption(desk.jobs.left(job).sentence)
        for step, seconds in job.stages:
            st.caption(literal(f"{step} · after {lasted(float(seconds))}"))


def _when(desk: Desk, job: Any, now: Any) -> str:
    if job.open:
        return since(desk, job, now)
    dismissed = f" · dismissed by {job.dismissed_by}" if job.dismissed_by else ""
    ended = f"ended {clock(job.ended_at, seconds=True)} UTC" if job.ended_at else ""
    return f"{job.state} · submitted by {job.actor} · {ended} · {lasted(desk.jobs.seconds(job))}{dismissed}"


def _actions(desk: Desk, job: Any) -> None:
    place = place_of(job)
    if place and st.button("Open", key=f"open-{job.id}", icon=":material/open_in_new:"):
        go(place[0], **place[1])
    if job.open and st.button("Cancel", key=f"jobs-cancel-{job.id}", icon=":material/close:", **allowed(desk, "jobs.cancel", disabled=bool(job.cancelled_by))):
        attempt(partial(desk.jobs.cancel, job.id))
        st.rerun()
    if job.state in ("failed", "cancelled"):
        if st.button("Retry", key=f"jobs-retry-{job.id}", icon=":material/refresh:", **allowed(desk, "jobs.retry")):
            attempt(partial(desk.jobs.retry, job.id))
            st.rerun()
        if not job.dismissed_by and st.button("Dismiss", key=f"jobs-dismiss-{job.id}", icon=":material/notifications_off:", help="Takes it off the Overview page. It stays in this list."):
            attempt(partial(desk.jobs.dismiss, [job.id]))
            st.rerun()
