"""Audit: all events in order, and whether the trail verifies."""

from __future__ import annotations

import streamlit as st

from app.audit.trail import downloads, event_history, events, heading_figures, today
from app.kit.address import address_value, missing
from app.kit.page import Page
from app.kit.widgets import attempt, head, job_panel

PAGE = Page("Audit", "Evidence", 10, "verified")


def render(desk) -> None:
    head("Audit", "append-only, hash-chained, under a Merkle tree", lambda: actions(desk))
    job = desk.jobs.get(address_value("job"))
    if job is not None and job.kind == "verify_audit":
        job_panel(desk, job)
    elif address_value("job"):
        missing("verification", address_value("job"), "Verify the trail again.")
    heading_figures(desk)
    left, right = st.columns([5, 2], gap="medium")
    with left:
        today(desk)
        chosen = events(desk)
    with right:
        event_history(desk, chosen)
    st.caption("Not a certification. The bodies are RFC 8785 canonical JSON, chained by SHA-256; the tree is RFC 6962's. A trail that was cut or rewritten as a whole is detectable only against an externally stored head hash.")


def actions(desk) -> None:
    downloads(desk)
    if st.button("Verify now", type="primary", icon=":material/verified:"):
        submitted = attempt(desk.trail.verify)
        if submitted is not None:
            st.query_params["job"] = submitted.job.id
            st.rerun()
