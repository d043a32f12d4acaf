"""What the theme cannot set: the colours of text in charts and on what is chosen, the room below them, and where toolbars lie."""

from __future__ import annotations

import streamlit as st

STYLE = """<style>
.vega-embed svg .role-axis-label text, .vega-embed svg .role-axis-title text, .vega-embed svg .role-legend text { fill: currentColor; fill-opacity: 0.75; }
[data-testid="stApp"] :is([data-variant][data-selected="true"], [role="tab"][aria-selected="true"]) :is(p, [data-testid="stIconMaterial"]) { color: light-dark(#2F4A8A, #A9BDF0); }
[data-testid="stVegaLiteChart"] { margin-bottom: -0.75rem; }
[data-testid="stFullScreenFrame"]:has([data-testid="stVegaLiteChart"]) [data-testid="stElementToolbar"] { top: 0; }
@media (hover: none) {
  [data-testid="stElementToolbar"] { top: 0; }
  [data-testid="stFullScreenFrame"]:has([data-testid="stDataFrame"]) { padding-top: 2rem; }
}
@media (max-width: 640px) {
  .st-key-varied-head { display: none; }
  [class*="st-key-varied-"] [data-testid="stColumn"] { min-width: 26%; flex: 1 1 26%; width: auto; }
  [class*="st-key-varied-"] [data-testid="stColumn"]:first-child { min-width: 78%; flex: 1 1 78%; }
  [class*="st-key-varied-"] [data-testid="stColumn"]:nth-child(2) { min-width: 12%; flex: 0 0 12%; }
  [class*="st-key-varied-"] [data-testid="stNumberInput"] label { display: flex; position: static; width: auto; height: auto; clip: auto; margin: 0; }
  [class*="st-key-varied-"] [data-testid="stNumberInputStepUp"], [class*="st-key-varied-"] [data-testid="stNumberInputStepDown"] { display: none; }
}
</style>"""


def style() -> None:
    """Add the rules to the page; they take no room on it."""
    st.html(STYLE)
