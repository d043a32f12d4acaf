"""The parts of the Audit page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from app.kit import charts
from app.kit.figures import clock, number, plural, short, typeset
from app.kit.tables import SUBJECT_ROLES, event_columns, events_frame, pairs_frame
from app.kit.text import literal
from app.kit.widgets import download, figures, section, table
from worker.desk import Desk, Filter

PERIODS = {"Last day": 1, "Last week": 7, "Last month": 31, "All": None}
SIZE = 50


def heading_figures(desk: Desk) -> None:
    rows, head, root = desk.trail.head()
    verification = desk.trail.verified()
    if verification and not verification["holds"]:
        st.error(literal(typeset(verification["why"])), title=f"The trail is broken at event {verification['broken_at']:,}", icon=":material/error:")
    valid = bool(verification and verification["holds"])
    checked = f"{verification['rows']:,} events" if verification and valid else "not verified" if not verification else f"broken at {verification['broken_at']:,}"
    figures(
        [
            ("Verified", checked, f"{verification['seconds']:.1f} s, {clock(verification['at'])} UTC" if verification else "select Verify now", "Every row was hashed again, its link and its columns compared, and the tree rebuilt."),
            ("Events", number(rows), "sequence complete", "Rows of the trail, numbered without a gap."),
            ("Head", short(head), "hash of the last row", head),
            ("Tree", short(root), "Merkle root", root),
        ],
        width=150,
    )


def downloads(desk: Desk) -> None:
    wanted = _wanted(desk)
    with st.popover("Download", icon=":material/download:"):
        st.caption("The events that match the filters below. The download is recorded as an event, too.")
        download("CSV", "audit.csv", "text/csv", lambda: desk.trail.csv(wanted), "audit-csv")
        download("JSONL (canonical)", "audit.jsonl", "application/jsonl", lambda: desk.trail.jsonl(wanted), "audit-jsonl")


def today(desk: Desk) -> None:
    now = desk.jobs.now()
    since, until = now - timedelta(hours=24), now + timedelta(hours=1)
    counted = desk.trail.per_hour(f"{since:%Y-%m-%dT%H}", f"{until:%Y-%m-%dT%H}")
    if counted.empty:
        return
    section("Last 24 hours", "events per hour, UTC")
    st.altair_chart(charts.timeline(counted, SUBJECT_ROLES), width="stretch", alt="Events an hour over the last day")


def events(desk: Desk) -> Any:
    """Filters, one page of events, and the chosen one."""
    a, b, c, d = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    a.text_input("Search", key="audit-text", placeholder="run, hash, user, word…", icon=":material/search:", label_visibility="collapsed")
    b.multiselect("Kind", desk.trail.kinds(), key="audit-kinds", placeholder="All kinds", format_func=lambda kind: kind.replace("_", " "), label_visibility="collapsed")
    c.selectbox("User", ["", *desk.trail.actors()], key="audit-actor", format_func=lambda actor: actor or "All users", label_visibility="collapsed")
    d.selectbox("Period", list(PERIODS), index=3, key="audit-period", label_visibility="collapsed")
    entity = st.query_params.get("entity", "")
    if entity:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(f"Only {entity}", icon=":material/filter_alt:", color="blue")
            if st.button("Show all", type="tertiary"):
                st.query_params.pop("entity")
                st.rerun()
    wanted = _wanted(desk)
    total = desk.trail.page(wanted, 1, 1)[1]
    pages = max(-(-total // SIZE), 1)
    at = min(st.session_state.get("audit-page", 1), pages)
    page, _ = desk.trail.page(wanted, at, SIZE)
    row = table(events_frame(page), event_columns(), "Audit events, newest first", key=f"events-{at}-{total}", pick=True, row_height=26, height=420)
    with st.container(horizontal=True, vertical_alignment="center"):
        first = (at - 1) * SIZE
        st.caption(f"Events {first + 1 if total else 0:,} to {first + len(page):,} of {total:,}, newest first", width="content")
        st.space("stretch")
        st.pagination(pages, key="audit-page")
    return page[row] if row is not None else page[0] if page else None


def _wanted(desk: Desk) -> Filter:
    state, days = st.session_state, PERIODS[st.session_state.get("audit-period", "All")]
    since = f"{desk.jobs.now() - timedelta(days=days):%Y-%m-%dT%H:%M}" if days else ""
    return Filter(since=since, kinds=tuple(state.get("audit-kinds", ())), actor=state.get("audit-actor", ""), entity=st.query_params.get("entity", ""), text=state.get("audit-text", "").strip())


def event_history(desk: Desk, event: Any) -> None:
    """The event history of the chosen event's entity."""
    if event is None:
        st.caption("No event matches these filters.")
        return
    entity = event.entities[0] if event.entities else ""
    if entity:
        history = desk.trail.history(entity)
        section(entity.replace(":", " ", 1), f"event history, {plural(len(history), 'event')}")
        for entry in history[:12]:
            mark = ":blue[:material/radio_button_checked:]" if entry.seq == event.seq else ":gray[:material/radio_button_unchecked:]"
            st.caption(f"{mark} **{entry.words}** by {literal(entry.actor)}  \n{entry.ts[:10]} {entry.ts[11:23]} · {number(entry.seq)}")
        if len(history) > 12:
            st.caption(f"and {len(history) - 12} more")
    section(f"Event {number(event.seq)}", event.words)
    facts = {"hash": event.hash, "user": event.actor, "time, UTC": event.ts, "entities": ", ".join(event.entities), **{key: value for key, value in event.detail.items()}}
    columns = {"Field": st.column_config.TextColumn("Field", width=90), "Value": st.column_config.TextColumn("Value", width=220)}
    table(pairs_frame(facts, "Field", "Value"), columns, "Fields of the chosen event", row_height=26)
