"""The trade that a run's table and chart have chosen: it stands in the address, and both read it there."""

from __future__ import annotations

import streamlit as st

from app.kit.address import address_value, missing

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
    if address_value(NAME) != str(number):
        st.query_params[NAME] = str(number)


def table_key(name: str, chosen: int | None) -> str:
    """The key of a table in which the chosen trade is selected: a new one, so that it is redrawn, after a choice that was made elsewhere."""
    state = st.session_state.setdefault(f"{name}-choice", dict(last=None, drawn=0))
    if chosen is not None and chosen != state["last"]:
        state.update(last=chosen, drawn=state["drawn"] + 1)
    return f"{name}-{state['drawn']}"


def choose_in_table(name: str, picked: int | None, chosen: int | None) -> int | None:
    """The chosen trade after the table of ``table_key`` was drawn, ``picked`` being its selected row: a click there goes into the address."""
    state = st.session_state[f"{name}-choice"]
    if picked is None or picked == state["last"]:
        return chosen
    state["last"] = picked
    choose_trade(picked)
    return picked
