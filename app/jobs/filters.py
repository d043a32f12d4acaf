"""Which jobs the page lists: state, kind, user and text, kept in the address."""

from __future__ import annotations

import streamlit as st

from app.kit.address import address_value
from app.kit.figures import typeset
from app.kit.tables import STATES
from worker.desk import Desk, JobFilter


def kind_title(kind: str) -> str:
    """
    >>> kind_title("walk_forward"), kind_title("backtest")
    ('Walk-forward', 'Backtest')
    """
    return {"walk_forward": "Walk-forward"}.get(kind, kind.replace("_", " ").capitalize())


def filters(desk: Desk) -> JobFilter:
    """Draw the filters; what is chosen stands in the address."""
    kinds, actors = desk.jobs.options()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input("Title or id", address_value("text"), key="jobs-text", width=220, placeholder="part of a title")
        states = _several("State", STATES, "state", str.capitalize)
        chosen = _several("Kind", kinds, "kind", kind_title)
        actor = st.selectbox("User", ["", *actors], index=_place(actors, address_value("user")), key="jobs-user", width=150, format_func=lambda name: typeset(name) or "all")
    which = JobFilter(states, chosen, actor, text)
    _keep(text=text.strip(), state=",".join(states), kind=",".join(chosen), user=actor)
    return which


def _several(label: str, options: list[str], name: str, title) -> list[str]:
    given = [value for value in address_value(name).split(",") if value in options]
    return st.multiselect(label, options, given, key=f"jobs-{name}", width=220, placeholder="all", format_func=title)


def _place(actors: list[str], name: str) -> int:
    return actors.index(name) + 1 if name in actors else 0


def _keep(**values: str) -> None:
    for name, value in values.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
