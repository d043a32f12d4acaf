"""The list of sessions, and the look that follows them: the page is drawn again only where something is new, and never all the time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import ago, money, percent
from app.kit.widgets import go, table
from app.paper.acting import answered, every
from worker.desk import Desk

REST = 4.0          # times as long as drawing the page took: so long it stands before bars alone redraw it, and clicks find it at rest


def watch(desk: Desk, rows: Sequence[Any], began: float) -> None:
    """While a session is not over, look every second whether it has moved, after a click oftener. Called last: the page began to be drawn at ``began`` (monotonic)."""
    if any(not row.over for row in rows):
        now = time.monotonic()
        st.fragment(_look, run_every=every())(desk, states(rows), moved(rows), now + REST * (now - began))


def states(rows: Sequence[Any]) -> tuple[Any, ...]:
    """What is redrawn at once."""
    return tuple((row.name, row.state, row.reason, row.alarms, row.proposals) for row in rows)


def moved(rows: Sequence[Any]) -> tuple[Any, ...]:
    """What is redrawn now and then."""
    return tuple((row.bars, row.equity, row.open) for row in rows)


def _look(desk: Desk, drawn: tuple[Any, ...], drawn_bars: tuple[Any, ...], rests_until: float) -> None:
    now = desk.paper.all()
    if answered(now) or states(now) != drawn or (moved(now) != drawn_bars and time.monotonic() > rests_until):
        st.rerun()
    ages = [row.price_age for row in now if not row.over and row.price_age is not None and row.source != "replay"]
    if ages:
        st.caption(f"Oldest price {ago(max(ages))}.")


def listed(rows: Sequence[Any], chosen: Any) -> None:
    """The sessions, one a row; a chosen one is opened."""
    config = st.column_config
    shown = pd.DataFrame([
        dict(
            name=row.name, state=row.word, points=list(row.points), equity=money(row.equity, row.currency), today=money(row.today, row.currency, sign=True), open=row.open,
            used=percent(row.daily_loss_used), age=ago(row.price_age) if row.price_age is not None else row.source, trades=row.title,
        )
        for row in rows
    ])  # fmt: skip
    columns = {
        "name": config.TextColumn("Session", width=100), "state": config.TextColumn("State", width=126), "points": config.LineChartColumn("Equity so far", width=74),
        "equity": config.TextColumn("Equity", width=88, alignment="right"), "today": config.TextColumn("Today, UTC", width=80, alignment="right"), "open": config.NumberColumn("Open", width=40, help="Open positions."),
        "used": config.TextColumn("Daily loss", width=72, alignment="right", help="Share of the daily loss limit that is used; a dash without one."),
        "age": config.TextColumn("Price", width=58, help="Age of the newest price; replay: stored bars."), "trades": config.TextColumn("Trades", width=200),
    }  # fmt: skip
    picked = table(shown, columns, f"{len(rows)} sessions", key="sessions", pick=True, height=min(34 + 28 * len(rows), 230), chosen=next((place for place, row in enumerate(rows) if chosen is not None and row.name == chosen.name), None))
    if picked is not None and (chosen is None or rows[picked].name != chosen.name):
        go("paper", session=rows[picked].name)
