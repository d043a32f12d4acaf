"""The kill switch on a page: what is latched, who set it and why, and its release."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from app.kit.figures import clock
from app.kit.text import literal
from app.paper.acting import act
from worker.desk import Desk


def banner(desk: Desk) -> None:
    """An error over the page for each kill switch that is set, with its release."""
    for number, halt in enumerate(desk.paper.halts()):
        what = f"Strategy {halt.strategy} of {halt.name}" if halt.strategy else f"Session {halt.name}" if halt.name else "All sessions"
        kept = "" if halt.flatten else " Positions were kept."
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.error(literal(f'{what} halted at {clock(halt.at, seconds=True)} UTC by {halt.who}: "{halt.reason}". No order is sent until a named person releases it.{kept}'), icon=":material/back_hand:", width="stretch")
            if st.button("Release…", key=f"release-{number}", disabled=bool(desk.paper.refused("release")), help=desk.paper.refused("release") or None):
                _release(desk, halt)


@st.dialog("Release the kill switch?")
def _release(desk: Desk, halt: Any) -> None:
    st.markdown(literal(f"Orders are sent again for {halt.name or 'every session'}. What was closed stays closed."))
    reason = st.text_input("Reason", key="release-reason", help="Recorded in the audit trail, with your name.")
    if st.button("Release", type="primary", disabled=not reason.strip()):
        act(partial(desk.paper.release, reason, halt.name, halt.strategy))


def emergency(desk: Desk, name: str) -> None:
    """The emergency stop of a session, or of all: a second click acts, and explains after."""
    refused = desk.paper.refused("halt")
    with st.popover("Emergency stop…", icon=":material/back_hand:", disabled=bool(refused), help=refused or "No order any more; open positions are closed at the next open. It stays until a person releases it."):
        reason = st.text_input("Reason", key=f"halt-reason-{name}", placeholder="optional")
        keep = st.toggle("Keep open positions", False, key=f"halt-keep-{name}", help="Leave them to their stops and targets.")
        for label, of in ((f"Stop {name}", name), ("Stop all sessions", "")):
            if st.button(literal(label), type="primary", key=f"halt-{name}-{of or 'all'}", width="stretch"):
                act(partial(desk.paper.halt, reason, of, keep=keep))
