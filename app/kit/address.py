"""Values of the address, and the warning where one names nothing: never something else in its place."""

from __future__ import annotations

import streamlit as st

from app.kit.text import literal

LONGEST = 64    # characters of a name from the address that are repeated


def missing(what: str, name: str, then: str) -> None:
    """Warn that there is no such thing, and what to do."""
    shown = literal(name if len(name) <= LONGEST else f"{name[:LONGEST]}…")
    gone = "" if what == "view" else " It may have been deleted."
    st.warning(f"There is no {what} {shown}.{gone} {then}", icon=":material/warning:")


def address_value(name: str) -> str:
    """The value of the address, without blanks around it."""
    return str(st.query_params.get(name, "")).strip()
