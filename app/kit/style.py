"""What the theme cannot set: the colours of text in charts and on what is chosen, the room below them, and where toolbars lie."""

from __future__ import annotations

import streamlit as st

STYLE = """<style>
.vega-embed svg .role-axis-label text, .vega-embed svg .role-axis-title text, .vega-embed svg .role-legend text { fill: currentColor; fill-opacity: 0.75; }
[data-testid="stApp"] :is([data-variant][data-selected="true"], [role="tab"][aria-selected="true"]) :is(p, [data-testid="stIconMaterial"]) { color: light-dark(#2F4A8A, #A9BDF0); }
[data-testid="stApp"] :is([data-testid="stBaseButton-tertiary"], [data-testid="stBaseButton-secondary"], [data-testid="stPopoverButton"]):is(:hover, :focus-visible, :active):not(:disabled) :is(p, [data-testid="stIconMaterial"]) { color: light-dark(#2F4A8A, #A9BDF0); }
[data-testid="stVegaLiteChart"] { margin-bottom: -0.75rem; }
[data-testid="stFullScreenFrame"]:has([data-testid="stVegaLiteChart"]) [data-testid="stElementToolbar"] { top: 0; }
[data-testid="stElementToolbarButton"]:has([aria-label^="Download as CSV"], [aria-label^="Download as PNG"], [aria-label^="Copy Vega-Lite spec"]) { display: none; }
[data-testid="stVerticalBlock"]:has(> [class*="st-key-table-file-"]) { position: relative; }
[class*="st-key-table-file-"] { position: absolute; bottom: calc(100% + 3px); right: 0; width: auto; padding: 0 0.4rem; z-index: 1; opacity: 0; pointer-events: none; background: light-dark(#FFFFFF, #0F161D); }
:hover > [class*="st-key-table-file-"], [class*="st-key-table-file-"]:focus-within { opacity: 1; pointer-events: auto; }
[class*="st-key-table-file-"] [data-testid="stMarkdownContainer"] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:has(> [class*="st-key-table-file-"]) [data-testid="stElementToolbar"] { right: 2rem; }
[data-testid="stVerticalBlock"]:has(> * [data-testid="stVegaLiteChart"]) > [class*="st-key-table-file-"] { top: 0; bottom: auto; }
[data-testid="stMetricLabel"] p { font-size: 0.8rem; }
@media (hover: none) {
  [class*="st-key-table-file-"] { top: 0; bottom: auto; opacity: 1; pointer-events: auto; }
  [data-testid="stElementToolbar"] { top: 0; }
  [data-testid="stDataFrame"] [data-testid="stElementToolbar"] { top: -2.4rem; }
  [data-testid="stFullScreenFrame"]:has([data-testid="stDataFrame"]) { padding-top: 2rem; }
}
@media (max-width: 640px) {
  [data-testid="stMarkdownContainer"] :is(table, pre) { display: block; max-width: 100%; overflow-x: auto; }
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
