"""What the theme cannot set: the colour of text in charts, the room below them, and where toolbars lie."""

from __future__ import annotations

import streamlit as st

STYLE = """<style>
.vega-embed svg .role-axis-label text, .vega-embed svg .role-axis-title text, .vega-embed svg .role-legend text { fill: currentColor; fill-opacity: 0.75; }
[data-testid="stVegaLiteChart"] { margin-bottom: -0.75rem; }
[data-testid="stFullScreenFrame"]:has([data-testid="stVegaLiteChart"]) [data-testid="stElementToolbar"] { top: 0; }
@media (hover: none) { [data-testid="stElementToolbar"] { top: 0; } }
</style>"""


def style() -> None:
    """Add the rules to the page; they take no room on it."""
    st.html(STYLE)
