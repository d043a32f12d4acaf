"""Audit: what happened, in order, and whether the record still holds."""

from __future__ import annotations

import streamlit as st

from app.audit.trail import downloads, events, heading_figures, story, today
from app.kit.page import Page
from app.kit.widgets import asked, head, job_panel

PAGE = Page("Audit", "Prove", 10, "verified")


def render(desk) -> None:
    head("Audit", "append-only, hash-chained, under a Merkle tree", lambda: actions(desk))
    job = desk.jobs.get(st.query_params.get("job", ""))
    if job is not None and job.kind == "verify_audit":
        job_panel(desk, job)
    heading_figures(desk)
    left, right = st.columns([5, 2], gap="medium")
    with left:
        today(desk)
        chosen = events(desk)
    with right:
        story(desk, chosen)
    st.caption("Not a certification. The bodies are RFC 8785 canonical JSON, chained by SHA-256; the tree is RFC 6962's. A trail that was cut or rewritten as a whole shows only against a head that was noted elsewhere.")


def actions(desk) -> None:
    downloads(desk)
    if st.button("Verify now", type="primary", icon=":material/verified:"):
        submitted = asked(desk.trail.verify)
        if submitted is not None:
            st.query_params["job"] = submitted.job.id
            st.rerun()
