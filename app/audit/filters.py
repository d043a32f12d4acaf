"""What of the trail is shown: text, subjects, kinds, users, a period, one entity. Kept in the session and in the address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from app.kit.figures import clock
from app.kit.tables import SUBJECT_COLOURS
from app.kit.text import in_badge
from worker.desk import Desk, Filter

PERIODS = {"Last day": 1, "Last week": 7, "Last month": 31, "All": None}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
NUMBER = re.compile(r"#([\d,]+)")
ENTITY = re.compile(r"[a-z_]+:[^/\s]\S*")     # as events name what they are about
ISO = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Bar:
    """A chosen bar of the timeline."""

    start: datetime
    end: datetime
    subject: str


def controls(desk: Desk) -> None:
    """The row of filters under the timeline."""
    kinds = desk.trail.kinds()
    a, b, c, d = st.columns([3, 2, 2, 2], vertical_alignment="bottom", gap="small")
    a.text_input("Search", key="audit-text", placeholder="run, hash, user, word…", icon=":material/search:", label_visibility="collapsed", help="Finds the text anywhere in an event, and a hash from its beginning or as shown here. #1234 opens event 1234; order:ID, run:ID, dataset:ID or job:ID shows that one's events.")
    b.multiselect("Kind", kinds, key="audit-kinds", placeholder="All kinds", format_func=lambda kind: kind.replace("_", " "), label_visibility="collapsed")
    c.selectbox("User", ["", *desk.trail.actors()], key="audit-actor", format_func=lambda actor: actor or "All users", label_visibility="collapsed")
    d.selectbox("Period", list(PERIODS), index=3, key="audit-period", label_visibility="collapsed")


def subjects(desk: Desk) -> None:
    """Pills of the subjects that there are: the legend of the timeline, and a filter."""
    there = [subject for subject in SUBJECT_COLOURS if desk.trail.of_subjects([subject]) != ("none",)]
    st.pills("Subject", there, key="audit-subjects", selection_mode="multi", format_func=lambda subject: f":{SUBJECT_COLOURS[subject]}[■] {subject}", label_visibility="collapsed")


def chips(bar: Bar | None) -> None:
    """What narrows the list besides the controls, each with a way out."""
    for name, words in (("entity", "Only {}"), ("day", "Only {} UTC")):
        value = str(st.query_params.get(name, ""))
        if value and (name != "day" or DAY.fullmatch(value)):
            _chip(words.format(value.replace(":", " ", 1)), f"audit-all-{name}", lambda name=name: st.query_params.pop(name))
    if bar is not None:
        _chip(f"Only {bar.subject}, {clock(bar.start)} to {clock(bar.end)[11:]} UTC", "audit-all-bar", _other_chart)


def _chip(words: str, key: str, leave: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(in_badge(words), icon=":material/filter_alt:", color="blue")
        if st.button("Show all", type="tertiary", key=key):
            leave()
            st.rerun()


def _other_chart() -> None:
    """A chart keeps its selection under its key: under another it has none."""
    st.session_state["audit-chart"] = st.session_state.get("audit-chart", 0) + 1


def wanted(desk: Desk, bar: Bar | None = None) -> Filter:
    """The filter of everything that is chosen."""
    state = st.session_state
    days, day = PERIODS[state.get("audit-period", "All")], str(st.query_params.get("day", ""))
    since, until = (desk.jobs.now() - timedelta(days=days)).strftime(ISO) if days else "", ""
    if DAY.fullmatch(day):
        since, until = day, f"{datetime.fromisoformat(day) + timedelta(days=1):%Y-%m-%d}"
    chosen = list(state.get("audit-subjects") or ())
    if bar is not None:
        since, until, chosen = bar.start.strftime(ISO), bar.end.strftime(ISO), [bar.subject]
    of_subjects, kinds = desk.trail.of_subjects(chosen), tuple(state.get("audit-kinds", ()))
    both = tuple(kind for kind in kinds if kind in of_subjects) or ("none",) if kinds and of_subjects else kinds or of_subjects
    text = state.get("audit-text", "").strip()
    named = text if ENTITY.fullmatch(text) else ""
    entity = named or str(st.query_params.get("entity", ""))
    return Filter(since, until, both, state.get("audit-actor", ""), entity, "" if named or NUMBER.fullmatch(text) else text)


def numbered() -> str:
    """The number after # in the search field; empty where there is none."""
    match = NUMBER.fullmatch(st.session_state.get("audit-text", "").strip())
    return match[1].replace(",", "") if match else ""
