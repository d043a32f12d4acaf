"""Audit: all events in order, whether the trail verifies, and what that proves."""

from __future__ import annotations

import streamlit as st

from app.audit import checkpoints_view, days_view, downloads, events_view, ledger_view, tampering_view
from app.audit.heading import banners, five_figures
from app.kit.address import address_value, missing
from app.kit.figures import plural
from app.kit.page import Page
from app.kit.rights import allowed
from app.kit.widgets import attempt, go, head, job_panel

PAGE = Page("Audit", "Evidence", 10, "verified")
VIEWS = {
    "events": ("Events", events_view), "days": ("Days and gaps", days_view), "checkpoints": ("Checkpoints and witnesses", checkpoints_view),
    "ledger": ("Broker's ledger", ledger_view), "tampering": ("What this would catch", tampering_view),
}  # fmt: skip
FIRST = "events"
NOTE = (
    "Not a certification. Fields follow CFTC 1.35, FINRA CAT and MiFID II RTS 24. Each event is RFC 8785 canonical JSON, chained by SHA-256 under an RFC 6962 tree. "
    "Whoever writes the database file itself is caught by a checkpoint that left this machine, not by a trigger."
)


def render(desk) -> None:
    wanted = address_value("view") or FIRST
    start = wanted if wanted in VIEWS else FIRST
    head("Audit", "append-only, hash-chained, signed", lambda: actions(desk))
    if wanted not in VIEWS:
        missing("view", wanted, "Choose one below.")
    verification = desk.trail.verified()
    banners(desk, verification)
    verifying(desk, verification)
    downloads.prepared(desk)
    five_figures(desk, verification, desk.jobs.now())
    chosen = st.segmented_control("View", list(VIEWS), default=start, required=True, key=f"audit-view-{start}", format_func=lambda name: VIEWS[name][0], label_visibility="collapsed")
    if chosen != start:
        go("audit", **({} if chosen == FIRST else {"view": str(chosen)}))
    VIEWS[start][1].view(desk)
    st.caption(NOTE)


def verifying(desk, verification) -> None:
    """The verification that the address names: under way, failed, or its result in a sentence."""
    name = address_value("job")
    job = desk.jobs.get(name)
    if name and (job is None or job.kind != "verify_audit"):
        missing("verification", name, "Verify the trail again.")
    elif job is not None and not job_panel(desk, job) and job.result and job.result["holds"]:
        st.success(f"{plural(job.result['rows'], 'row')} verified in {job.result['seconds']:.1f} s: every one hashes to what was recorded, follows from the one before, and is in the tree.", icon=":material/verified:")


def actions(desk) -> None:
    downloads.menu(desk)
    if st.button("Verify now", type="primary", icon=":material/verified:", **allowed(desk, "trail.verify")):
        submitted = attempt(desk.trail.verify)
        if submitted is not None:
            st.query_params["job"] = submitted.job.id
            st.rerun()
