"""Settings of a result, folded into the sentence that describes them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def folded(sentence: str, key: str, draw: Callable[[], None], expanded: bool) -> None:
    """Draw the settings under their sentence: only once they are opened, and from then on, so that what was entered outlasts a closing. A page with a result
    is read more often than asked anew, and its form is a quarter of the work of drawing it. ``key``: of the page and what it shows."""
    opened = f"opened-{key}"
    box = st.expander(sentence, expanded=expanded, key=f"folded-{key}", icon=":material/edit:", on_change="rerun")
    st.session_state[opened] = bool(box.open or st.session_state.get(opened))
    if st.session_state[opened]:
        with box:
            draw()
