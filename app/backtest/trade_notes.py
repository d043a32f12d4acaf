"""A note and labels of one's own on the chosen trade."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.figures import clock, plural
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt
from worker.desk import Desk


def view(desk: Desk, run: Any, trade: int) -> None:
    """Draw the journal of a trade: what is written, and the form to change it."""
    notes = desk.journal.of(run.id)
    note = notes.on.get(trade)
    with st.form(f"note-{run.id}-{trade}", border=True):
        text = st.text_area(f"Note on trade {trade}", note.note if note else "", max_chars=2_000, height=96, placeholder="What you saw, why you would or would not take it")
        chosen = list(note.labels) if note else []
        labels = st.multiselect("Labels", sorted({*notes.labels, *chosen}), chosen, accept_new_options=True, max_selections=10, placeholder="Choose or write one")
        with st.container(horizontal=True, vertical_alignment="center"):
            saved = st.form_submit_button("Save note", icon=":material/edit_note:", **allowed(desk, "journal.save"))
            st.caption(literal(f"{note.actor}, {clock(note.at)} UTC") if note else "Kept with these settings and bars: running the same backtest again shows it too.", width="content")
    if saved and attempt(lambda: (desk.journal.save(run.id, trade, text, labels),)) is not None:
        st.toast(f"Note on trade {trade} saved." if text.strip() or labels else f"Note on trade {trade} removed.", icon=":material/check:")
        st.rerun()


def elsewhere(desk: Desk, run: Any) -> None:
    """Draw the notes on these settings and bars whose trade this run does not have: never shown on another trade."""
    others = desk.journal.of(run.id).elsewhere
    if others:
        with st.expander(f"{plural(len(others), 'note')} on trades that this run does not have", icon=":material/history:"):
            for note in others:
                st.markdown(f"**{literal(note.instrument)} {note.side}, {clock(note.opened)}** · {literal(', '.join(note.labels))}  \n{literal(note.note)}")
