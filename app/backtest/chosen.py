"""What a table has chosen, as the trade of a run that its chart chooses too: it stands in the address, and all read it there."""

from __future__ import annotations

from typing import Any, TypeVar

import streamlit as st

from app.kit.address import address_value, missing

T = TypeVar("T")
NAME = "trade"  # of the query parameter


def trade_of(text: str, count: int) -> int | None:
    """The number of a trade, 1 to ``count``; None for anything else.

    >>> trade_of("7", 9), trade_of("0", 9), trade_of("10", 9), trade_of("x", 9), trade_of("", 9)
    (7, None, None, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= count else None


def chosen_trade(count: int) -> int | None:
    """The chosen trade of a run with ``count`` trades; None where the address names none, and a warning where it names
    one that does not exist."""
    text = address_value(NAME)
    trade = trade_of(text, count)
    if text and trade is None:
        missing("trade", text, f"The trades of this run are 1 to {count:,}." if count else "This run has no trades.")
    return trade


def choose_trade(number: int) -> None:
    """Write the chosen trade into the address; the caller draws the page again where it must."""
    _write(NAME, str(number))


def table_key(name: str, chosen: Any) -> str:
    """The key of a table in which the chosen row is selected: a new one, so that it is redrawn, after a choice that was made elsewhere."""
    state = st.session_state.setdefault(f"{name}-choice", dict(last=None, drawn=0))
    if chosen is not None and chosen != state["last"]:
        state.update(last=chosen, drawn=state["drawn"] + 1)
    return f"{name}-{state['drawn']}"


def choose_in_table(name: str, picked: T | None, chosen: T | None, parameter: str = NAME) -> T | None:
    """What is chosen after the table of ``table_key`` was drawn, ``picked`` being its selected row: a click there goes into the address, as ``parameter``."""
    state = st.session_state[f"{name}-choice"]
    if picked is None or picked == state["last"]:
        return chosen
    state["last"] = picked
    _write(parameter, str(picked))
    return picked


def _write(parameter: str, value: str) -> None:
    if address_value(parameter) != value:
        st.query_params[parameter] = value
