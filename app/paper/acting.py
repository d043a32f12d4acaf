"""A click that commands a session: once it is written, the page is drawn anew, and for a few seconds it looks oftener for what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.kit.widgets import attempt

EVERY, QUICK = 1.0, 0.25        # seconds between two looks while a session is not over, and while an answer is waited for
SOON = 5.0                      # seconds for which it is
UNTIL = "paper-answer-until"    # in the state of the page


def act(doing: Callable[[], object], note: str = "") -> None:
    """Do it, and draw the page again; a refusal stands where the button is. ``note``: said beside the page."""

    def done() -> bool:
        doing()
        return True

    if attempt(done):
        st.session_state[UNTIL] = time.monotonic() + SOON
        if note:
            st.toast(note, icon=":material/schedule:")
        st.rerun()


def every() -> float:
    """How often this page looks."""
    return QUICK if UNTIL in st.session_state else EVERY


def answered(rows: Sequence[Any]) -> bool:
    """Once after a click: its command is worked, or has waited for long."""
    until = st.session_state.get(UNTIL)
    if until is None or (any(row.waiting for row in rows) and time.monotonic() < until):
        return False
    del st.session_state[UNTIL]
    return True
