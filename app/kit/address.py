"""What the address asks for and is not there: a sentence, never something else in its place."""

from __future__ import annotations

import re

import streamlit as st

LONGEST = 64    # characters of a name from the address that are repeated


def missing(what: str, name: str, then: str) -> None:
    """Say that there is no such thing, and what to do."""
    shown = re.sub(r"([\\`*_{}\[\]()<>#+!|$~:.-])", r"\\\1", " ".join(name.split()))
    shown = shown if len(name) <= LONGEST else f"{shown[:LONGEST]}…"
    st.warning(f"There is no {what} {shown}. It may have been deleted. {then}", icon=":material/warning:")


def asked_for(name: str) -> str:
    """The value of the address, without blanks around it."""
    return str(st.query_params.get(name, "")).strip()
