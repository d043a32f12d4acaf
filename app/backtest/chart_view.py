"""What a reader sees of a chart: the rows in view, those to load, and where the browser is sent. Charts of runs and of datasets share it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.backtest.chart_component import component

BUDGET = 360            # candles in the view, until the browser says how wide it is


def opened(first: float, last: float) -> dict[str, Any]:
    """The state of a chart that opens at rows ``first`` to ``last``.

    >>> opened(0, 500)["go"]
    {'first': 0, 'last': 500, 'seq': 1}
    """
    state: dict[str, Any] = dict(view=None, budget=BUDGET, go=dict(first=0, last=0, seq=0))
    go(state, first, last)
    return state


def go(state: dict[str, Any], first: float, last: float) -> None:
    """Send the browser to rows ``first`` to ``last``."""
    state["load"] = state["seen"] = (first, last)
    state["go"] = dict(first=first, last=last, seq=state["go"]["seq"] + 1)


def follow(state: dict[str, Any], key: str, component_key: str) -> None:
    """Take over what the browser reported since: the rows in view, and those to load where it needs others."""
    view = (st.session_state.get(component_key) or {}).get("view")
    if not view or view == state["view"] or view.get("key") != key:
        return
    state["view"] = view
    state["budget"] = min(max(int(view["budget"]), 100), 500)
    state["seen"] = (int(view["first"]), int(view["last"]))
    if view["load"]:
        state["load"] = (int(view["load"][0]), int(view["load"][1]))


def draw(key: str, data: dict[str, Any]) -> Any:
    """Draw the chart; ``picked`` of what comes back is the trade that was chosen on it."""
    return component()(key=key, data=data, default={"view": None}, on_view_change=_nothing, on_picked_change=_nothing)


def _nothing() -> None:
    """A change of the component's state draws this part again; nothing else happens."""
