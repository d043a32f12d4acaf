"""The address of what is shown, to be copied and sent: it opens the same page, run, trade and filters."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st


def address_of(url: str, query: dict[str, str]) -> str:
    """
    >>> address_of("http://127.0.0.1:8501/backtest?run=old", {"run": "r1", "trade": "7"})
    'http://127.0.0.1:8501/backtest?run=r1&trade=7'
    """
    page = url.partition("?")[0]
    return f"{page}?{urlencode(query)}" if query else page


def share() -> None:
    """A button that shows the address with a way to copy it."""
    url = st.context.url
    if not url:
        return
    with st.popover("Link to this page", icon=":material/link:", type="tertiary"):
        st.code(address_of(url, dict(st.query_params)), language=None, wrap_lines=True)
        st.caption("It opens what is shown here for everyone who can reach this installation.")
