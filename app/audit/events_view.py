"""The events: an hour of them a bar, filters, a page of them by key, and the story of the chosen one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.audit import filters
from app.audit.filters import PERIODS, Bar
from app.audit.story import event_panel
from app.kit import charts
from app.kit.address import address_value
from app.kit.draw import draw_chart
from app.kit.figures import number
from app.kit.tables import SUBJECT_ROLES, event_columns, events_frame
from app.kit.widgets import attempt, nothing, section, table
from worker.desk import Desk, Filter

SIZE = 50
PICK = "bar"


def view(desk: Desk) -> None:
    if desk.trail.head()[0] == 0:
        return nothing("No events yet", "Everything that is imported, run, downloaded or changed leaves an event here.")
    left, right = st.columns([5, 2], gap="medium")
    with left:
        bar = timeline(desk)
        filters.subjects(desk)
        filters.controls(desk)
        filters.chips(bar)
        chosen = events(desk, filters.wanted(desk, bar))
    with right:
        event_panel(desk, chosen, address_value("entity"))


def timeline(desk: Desk) -> Bar | None:
    """The bars, and the one that was clicked."""
    days = PERIODS[st.session_state.get("audit-period", "All")]
    now, daily = desk.jobs.now(), days not in (None, 1, 7)
    back = timedelta(days=days or 1)
    since = (now - back).replace(minute=0, second=0, microsecond=0)
    until = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    counted = desk.trail.per_hour(f"{since:%Y-%m-%dT%H}", f"{until:%Y-%m-%dT%H}")
    title = {1: "Last 24 hours", 7: "Last 7 days", 31: "Last 31 days"}[back.days]
    section(title, f"events {'a day' if daily else 'an hour'}, UTC; select a bar to see its events")
    if counted.empty:
        st.caption("No event in this time.")
        return None
    if daily:
        counted = counted.assign(hour=counted["hour"].dt.floor("D")).groupby(["hour", "subject"], as_index=False)["events"].sum()
    chart = charts.timeline(counted, SUBJECT_ROLES, (since, until), daily, PICK)
    shown: Any = draw_chart(chart, alt="Events over time by subject", on_select="rerun", selection_mode=PICK, key=f"timeline-{back.days}-{st.session_state.get('audit-chart', 0)}")
    return _bar(shown, timedelta(days=1) if daily else timedelta(hours=1))


def _bar(shown: Any, step: timedelta) -> Bar | None:
    chosen = next(iter(shown.selection.get(PICK, [])), None) if shown else None
    if not chosen or "hour" not in chosen or not isinstance(chosen.get("subject"), str):
        return None
    value = chosen["hour"]
    start = datetime.fromtimestamp(value / 1000, UTC) if isinstance(value, (int, float)) else pd.Timestamp(value).to_pydatetime().astimezone(UTC)
    return Bar(start, start + step, chosen["subject"])


def events(desk: Desk, wanted: Filter) -> Any:
    """One page of events, and the chosen one: picked here, named by the address or by #number, else the newest."""
    cursor = _cursor(wanted)
    page, more = _page(desk, wanted, cursor)
    if not page and cursor:         # nothing is left on that side
        cursor.clear()
        page, more = _page(desk, wanted, cursor)
    named = filters.numbered() or address_value("event")
    key = f"events-{page[0].seq if page else 0}-{hash(wanted)}-{named}"
    chosen = next((place for place, event in enumerate(page) if named in (str(event.seq), event.event_id, event.hash)), None if named or not page else 0)
    row = table(events_frame(page), event_columns(page), "Audit events, newest first", key=key, pick=True, row_height=26, height=min(420, 38 + 26 * max(len(page), 2)), chosen=chosen)
    _pager(desk, wanted, page, cursor, more)
    if row is not None:
        return page[row]
    if named:
        return attempt(lambda: desk.trail.find(named))
    return page[0] if page else None


def _page(desk: Desk, wanted: Filter, cursor: dict[str, int]) -> tuple[list[Any], bool]:
    """A page, and whether more follow in the direction that it was read in: one row more is read, for a search reads all there is."""
    rows = desk.trail.rows(wanted, SIZE + 1, cursor.get("before"), cursor.get("after"))
    return (rows[1:] if len(rows) > SIZE and "after" in cursor else rows[:SIZE]), len(rows) > SIZE


def _cursor(wanted: Filter) -> dict[str, int]:
    """Where the list stands; with other filters at its beginning."""
    state = st.session_state.setdefault("audit-cursor", {})
    if state.get("of") != wanted:
        state.clear()
        state.update(of=wanted, at={})
    at: dict[str, int] = state["at"]
    return at


def _pager(desk: Desk, wanted: Filter, page: list[Any], cursor: dict[str, int], more: bool) -> None:
    all_here = not cursor and not more
    total, exact = (len(page), True) if all_here else desk.trail.total(wanted)
    upwards = "after" in cursor
    newer = bool(page) and (more if upwards else bool(cursor) and bool(desk.trail.rows(wanted, 1, after=page[0].seq)))
    older = bool(page) and (bool(desk.trail.rows(wanted, 1, before=page[-1].seq)) if upwards else more)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        span = f"Rows {page[-1].seq:,} to {page[0].seq:,}, " if page else ""
        st.caption(f"{span}{number(total) if exact else f'more than {total:,}'} in all, newest first" if page else "No event matches these filters.", width="content")
        st.space("stretch")
        moves = (
            ("Newest", "first_page", not newer, dict[str, int]()), ("Newer", "chevron_left", not newer, dict(after=page[0].seq) if page else {}),
            ("Older", "chevron_right", not older, dict(before=page[-1].seq) if page else {}), ("Oldest", "last_page", not older, dict(after=0)),
        )  # fmt: skip
        for label, icon, off, to in moves:
            if st.button(label, icon=f":material/{icon}:", type="tertiary", disabled=off, key=f"audit-{label}"):
                cursor.clear()
                cursor.update(to)
                st.rerun()
