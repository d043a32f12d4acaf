"""The trail by UTC days, and its gaps: times without a checkpoint, and with nothing running."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import clock, lasted, plural
from app.kit.tables import SUBJECT_COLOURS
from app.kit.widgets import go, nothing, section, table
from worker.desk import Desk

SPAN = 31           # days on one page
LATE = 2            # intervals between checkpoints that are a gap
MISSING = {"checkpoint": "No checkpoint", "worker": "No worker", "scheduler": "No scheduler"}


def view(desk: Desk) -> None:
    now = desk.jobs.now()
    page = int(st.session_state.get("audit-days", 1))
    last = (now + timedelta(days=1)).date() - timedelta(days=SPAN * (page - 1))
    first = last - timedelta(days=SPAN)
    days = desk.trail_days.days(f"{first}", f"{last}")
    section("Days", f"{first} to {last - timedelta(days=1)}, UTC; select a day to see its events")
    if days:
        _days(desk, days)
    else:
        nothing("No events in these days", "Choose other days below.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.space("stretch")
        st.pagination(_pages(desk, now), key="audit-days")
    gaps(desk, first, now)


def _pages(desk: Desk, now: Any) -> int:
    first = desk.trail_days.first()
    return max(-(-((now - first).days + 1) // SPAN), 1) if first else 1


def _days(desk: Desk, days: Any) -> None:
    there = [subject for subject in SUBJECT_COLOURS if any(subject in day.subjects for day in days)]
    signed = desk.trail_days.checkpoints(days[-1].day, days[0].day)
    rows = [dict(day=day.day, events=day.events, **{subject: day.subjects.get(subject, 0) for subject in there}, refused=day.refused, first=day.first, last=day.last, checkpoints=signed.get(day.day, 0)) for day in days]
    number = st.column_config.NumberColumn
    columns = {
        "day": st.column_config.TextColumn("Day, UTC", width=90), "events": number("Events", format="localized", width=66),
        **{subject: number(subject.capitalize(), format="localized", width=64) for subject in there},
        "refused": number("Refused", format="localized", width=66, help="Refusals, failures and halts."),
        "first": number("First row", format="localized", width=76), "last": number("Last row", format="localized", width=76),
        "checkpoints": number("Checkpoints", format="localized", width=92, help="Signed that day, heartbeats included."),
    }  # fmt: skip
    row = table(pd.DataFrame(rows), columns, "Events of each day by subject", key="days", pick=True, row_height=26)
    if row is not None:
        go("audit", day=days[row].day)


def gaps(desk: Desk, first: Any, now: Any) -> None:
    most = timedelta(seconds=LATE * desk.settings.audit.interval)
    gaps_ = desk.trail_days.gaps(f"{first}", most)
    section("Gaps", f"times without a checkpoint for more than {lasted(most.total_seconds())}, or with no worker or scheduler running")
    if not gaps_:
        st.caption(":green[:material/check_circle:] None in these days.")
        return
    rows = [
        dict(what=MISSING[gap.what], start=clock(gap.start, seconds=True), end=clock(gap.end, seconds=True) if gap.end else "still so", length=lasted(gap.seconds(now)), why="ended without a stop; counted from its last heartbeat" if gap.since_crash else "")
        for gap in gaps_[:200]
    ]
    columns = {
        "what": st.column_config.TextColumn("Missing", width=110), "start": st.column_config.TextColumn("From, UTC", width=140), "end": st.column_config.TextColumn("To, UTC", width=140),
        "length": st.column_config.TextColumn("Lasted", width=80), "why": st.column_config.TextColumn("Note", width=300),
    }  # fmt: skip
    table(pd.DataFrame(rows), columns, "Gaps, newest first", row_height=26)
    if len(gaps_) > 200:
        st.caption(f"and {plural(len(gaps_) - 200, 'more gap')}")
