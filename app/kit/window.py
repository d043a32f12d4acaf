"""How wide the reader's window is, in steps, and how tall charts are for it. The same script makes a field one stop of the Tab key."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.kit.component import component

LEAST = (1_600, 2_200)          # pixels of the window from which on charts are taller
FACTORS = (1.0, 1.35, 1.7)      # of their heights, by step
KEY, COOKIE = "window", "tidemark_window"


def watch() -> None:
    """Draw what watches the window; it takes no room, and runs the page again only where the step changes."""
    component("tidemark_window", "window", Path(__file__).parent, "window_files", "<span></span>")(key=KEY, data=dict(least=LEAST, step=_step()), default={"step": _step()}, on_step_change=lambda: None)


def taller(height: int) -> int:
    """The height of a chart for the window of the reader; ``height`` in pixels is that for a narrow one.

    >>> taller(216)
    216
    """
    return round(height * FACTORS[_step()])


def _step() -> int:
    if not st.runtime.exists():
        return 0
    reported = (st.session_state.get(KEY) or {}).get("step")
    return _valid(st.context.cookies.get(COOKIE, "0") if reported is None else reported)


def _valid(step: object) -> int:
    """A step as the browser sent it; 0 for what is none.

    >>> _valid("2"), _valid(1), _valid("x"), _valid("9")
    (2, 1, 0, 0)
    """
    text = str(step)
    return int(text) if text in map(str, range(len(FACTORS))) else 0
