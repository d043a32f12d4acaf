"""Paper trading: start a session, watch it, command it, read what it decided and why not."""

from __future__ import annotations

import time

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.figures import plural
from app.kit.page import Page
from app.kit.widgets import go, head, nothing
from app.paper import halts, lists
from app.paper.form import form
from app.paper.session import session

PAGE = Page("Paper trading", "Trade", 20, "monitor_heart")


def render(desk) -> None:
    began, rows = time.monotonic(), desk.paper.all()
    name = address_value("session")
    chosen = next((row for row in rows if row.name == name), None) or (None if name else next(iter(rows), None))
    new = address_value("do") == "new"
    active = sum(not row.over for row in rows)
    head("Paper trading", f"{plural(active, 'session')} running · no real money" if rows else "no real money", None if new or not rows else _new)
    halts.banner(desk)
    if name and chosen is None:
        missing("session", name, "Choose one below.")
    if new or not rows:
        if not desk.data.catalogue() and not rows:
            return nothing("No data yet", "A session replays stored prices, or trades on a live feed. Import a file, or generate synthetic prices on the Data page.", _import)
        with st.container(border=True):
            form(desk)
    if rows:
        lists.listed(rows, chosen)
        if chosen:
            session(desk, chosen)
        lists.watch(desk, rows, began)


def _new() -> None:
    if st.button("New session", type="primary", icon=":material/add:"):
        go("paper", do="new")


def _import() -> None:
    if st.button("Import a file", type="primary"):
        go("data", do="import")
