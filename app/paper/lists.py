"""The list of sessions, and the look that follows them: the page runs again only where something is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import ago, money, percent
from app.kit.widgets import go, table
from worker.desk import Desk

EVERY = 1.0         # seconds between two looks while a session is not over


def watch(desk: Desk, rows: Sequence[Any], chosen: Any) -> None:
    """Draw the list; while a session is not over, look every second whether it has moved."""
    _listed(rows, chosen)
    if any(not row.over for row in rows):
        st.fragment(_look, run_every=EVERY)(desk, seen(rows))


def seen(rows: Sequence[Any]) -> tuple[Any, ...]:
    """What the page drew of the sessions, but for the age of their prices."""
    return tuple((row.name, row.state, row.reason, row.bars, row.equity, row.open) for row in rows)


def _look(desk: Desk, drawn: tuple[Any, ...]) -> None:
    now = desk.paper.all()
    if seen(now) != drawn:
        st.rerun()
    ages = [row.price_age for row in now if not row.over and row.price_age is not None and row.source != "replay"]
    if ages:
        st.caption(f"Oldest price {ago(max(ages))}.")


def _listed(rows: Sequence[Any], chosen: Any) -> None:
    config = st.column_config
    shown = pd.DataFrame([
        dict(
            name=row.name, state=row.word, points=list(row.points), equity=money(row.equity, row.currency), today=money(row.today, row.currency, sign=True), open=row.open,
            used=percent(row.daily_loss_used), age=ago(row.price_age) if row.price_age is not None else row.source, trades=row.title,
        )
        for row in rows
    ])  # fmt: skip
    columns = {
        "name": config.TextColumn("Session", width=120), "state": config.TextColumn("State", width=140), "points": config.LineChartColumn("Equity so far", width=110),
        "equity": config.TextColumn("Equity", width=96, alignment="right"), "today": config.TextColumn("Today, UTC", width=88, alignment="right"), "open": config.NumberColumn("Open", width=46, help="Open positions."),
        "used": config.TextColumn("Daily loss used", width=92, alignment="right", help="Share of the daily loss limit that is used; a dash without one."),
        "age": config.TextColumn("Price", width=76, help="Age of the newest price; replay: stored bars."), "trades": config.TextColumn("Trades", width=230),
    }  # fmt: skip
    picked = table(shown, columns, f"{len(rows)} sessions", key="sessions", pick=True, height=min(34 + 28 * len(rows), 230))
    if picked is not None and (chosen is None or rows[picked].name != chosen.name):
        go("paper", session=rows[picked].name)
