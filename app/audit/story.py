"""The chosen event: the whole story of what it is about, by what that was decided, its replay and its proof."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from app.audit.downloads import proof
from app.audit.replay import replay_panel
from app.kit.figures import DASH, number, plural, short, typeset
from app.kit.tables import pairs_frame
from app.kit.text import literal
from app.kit.widgets import section, table
from worker.desk import Desk

UNDECIDED = ("audit:", "event:", "process:", "witness:", "settings:")     # entities about which nothing is decided
SHOWN = 12          # events of a story that are drawn at first
ICONS = {
    "submitted": "send", "started": "play_arrow", "finished": "check_circle", "passed": "check_circle", "filled": "check_circle", "imported": "download_done", "accepted": "task_alt",
    "cancelled": "block", "deleted": "delete", "downloaded": "download", "reproduced": "replay", "replayed": "replay", "verified": "verified", "intended": "lightbulb",
}  # fmt: skip


def event_panel(desk: Desk, event: Any, entity: str) -> None:
    if event is None and not entity:
        st.caption("Select an event to see its history.")
        return
    shown = entity or _entity(event)
    if shown:
        story(desk, shown, event, filtered=bool(entity))
    if event is not None:
        fields(desk, event)


def _entity(event: Any) -> str:
    """The entity whose story is history: the main one, or the one that was chosen of several."""
    entities = list(dict.fromkeys(event.entities))
    if len(entities) < 2:
        return entities[0] if entities else ""
    chosen = st.selectbox("History of", entities, key=f"entity-{event.seq}", format_func=lambda name: name.replace(":", " ", 1), label_visibility="collapsed")
    return chosen or entities[0]


def story(desk: Desk, entity: str, event: Any, filtered: bool) -> None:
    history = desk.stories.of(entity)
    section(entity.replace(":", " ", 1), f"its history, {plural(history.total, 'event')}, oldest first")
    if history.altered:
        st.error(literal(typeset(history.altered)), icon=":material/gpp_bad:")
    if history.title != entity.replace(":", " ", 1):
        st.caption(literal(history.title))
    for entry in history.events[:SHOWN]:
        _entry(entry, event is not None and entry.seq == event.seq)
    rest = history.total - min(len(history.events), SHOWN)
    if rest > 0:
        st.caption(f"and {number(rest)} more")
    if not filtered and st.button("Show only these events", icon=":material/filter_alt:", type="tertiary", key=f"only-{entity}"):
        st.query_params["entity"] = entity
        st.rerun()
    if history.facts:
        _decided_by(history.facts, "Hashes" if entity.startswith(UNDECIDED) else "Decided by")


def _entry(entry: Any, chosen: bool) -> None:
    colour = "red" if entry.refused else "blue" if chosen else "gray"
    icon = "error" if entry.refused else "radio_button_checked" if chosen else ICONS.get(entry.kind.split("_")[-1], "radio_button_unchecked")
    words = f"**{literal(entry.words)}**" if chosen else literal(entry.words)
    detail = entry.sentence if len(entry.sentence) <= 90 else f"{entry.sentence[:88]}…"
    st.caption(f":{colour}[:material/{icon}:] {words}{' · ' + literal(detail) if detail and detail != entry.words else ''}  \n{entry.ts[:10]} {entry.ts[11:23]} · {number(entry.seq)} · {literal(entry.actor)}")


def _decided_by(facts: Any, title: str) -> None:
    changed = [fact for fact in facts if fact.differs]
    section(title, "by hash" if title == "Decided by" else "that its events name")
    rows = [dict(what=fact.what, value=fact.value, hash=("≠ " if fact.differs else "") + fact.hash) for fact in facts]
    columns = {
        "what": st.column_config.TextColumn("What", width=66), "value": st.column_config.TextColumn("Value", width=84), "hash": st.column_config.TextColumn("Hash", width=92),
    }  # fmt: skip
    table(pd.DataFrame(rows, columns=list(columns)), columns, "What decided it, with hashes", row_height=26)
    for fact in changed:
        st.error(f"{literal(fact.what)} {literal(fact.value)} is stored as {short(fact.hash)}, and the event recorded {short(fact.recorded)}.", icon=":material/error:")


def fields(desk: Desk, event: Any) -> None:
    section(f"Event {number(event.seq)}", event.words)
    replay_panel(desk, event)
    proof(desk, event)
    facts = {
        "hash": event.hash, "hash before": event.prev_hash, "id": event.event_id, "user": event.actor, "time, UTC": event.ts, "entities": ", ".join(event.entities),
        **{key: shown(value) for key, value in event.detail.items()},
    }  # fmt: skip
    columns = {"Field": st.column_config.TextColumn("Field", width=84), "Value": st.column_config.TextColumn("Value", width=460)}
    table(pairs_frame(facts, "Field", "Value"), columns, "Fields of the chosen event", row_height=26)


def shown(value: Any) -> str:
    """A fact of an event as text: lists and objects as JSON, what is missing as a dash.

    >>> shown({"run:1": None}), shown([]), shown(None), shown(True), shown("1.5")
    ('{"run:1": null}', '—', '—', 'yes', '1.5')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], {}):
        return DASH
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
