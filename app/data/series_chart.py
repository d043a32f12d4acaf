"""The chart of a dataset: candles of any span with volume and spread below them, the component of the chart of a run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from app.backtest.chart_data import series_data, visible
from app.backtest.chart_view import draw, follow, go, opened
from app.drawn import download_drawn
from app.kit.figures import clock, number, plural
from worker.desk import Desk

SPANS = {"1 day": 1, "1 week": 7, "1 month": 31, "1 year": 366, "All": None}
SPREAD = ["Spread, pips"]       # the pane below the volume
DIGITS = 2                      # of a spread in pips


@st.fragment
def series_chart(desk: Desk, dataset: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        span = st.segmented_control("Span", list(SPANS), default="1 month", required=True, key=f"span-{dataset.id}", label_visibility="collapsed")
        until = st.date_input("until", dataset.last_ts.date(), dataset.first_ts.date(), dataset.last_ts.date(), key=f"until-{dataset.id}", width=150, label_visibility="collapsed", help="Last day shown, UTC.")
        st.space("stretch")
        csv = st.container(width="content")
    start, end = _edges(dataset, span, until)
    first, last = desk.series_chart.between(dataset.id, start, end)
    if first == last:
        st.caption(f"No bars from {clock(start)} to {clock(end)} UTC. Choose another date.")
        return
    key = f"series-{dataset.id}"
    state = _state(key, (span, until), first, last)
    follow(state, key, f"chart-{key}")
    shown = desk.series_chart.view(dataset.id, state["load"][0], state["load"][1], state["budget"])
    instrument = desk.data.instruments()[dataset.instrument]
    label = f"Candles of {dataset.instrument} with volume and spread. Arrow keys move the crosshair, with Shift the view; plus and minus zoom; Home and End go to the ends."
    data = series_data(shown, instrument, dataset.timeframe, dataset.side, SPREAD, label) | dict(go=dict(state["go"]), key=key)
    for pane in data["features"]:
        pane["digits"] = DIGITS
    draw(f"chart-{key}", data)
    table = visible(shown, state["seen"][0], state["seen"][1], SPREAD)
    with csv:
        download_drawn("Candles, CSV", f"{dataset.instrument}_{dataset.timeframe}_candles.csv".replace("=", "-"), table, f"candles-{dataset.id}", f"dataset:{dataset.id}")
    st.caption(_note(table, shown))


def _state(key: str, chosen: tuple[Any, ...], first: int, last: int) -> dict[str, Any]:
    """What this reader sees; another span or date moves it there."""
    state: dict[str, Any] = st.session_state.setdefault(key, opened(first, last) | dict(chosen=chosen))
    if state["chosen"] != chosen:
        state["chosen"] = chosen
        go(state, first, last)
    return state


def _edges(dataset: Any, span: str, until: date) -> tuple[datetime, datetime]:
    end = datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1)
    days = SPANS[span]
    return (dataset.first_ts, dataset.last_ts + timedelta(days=1)) if days is None else (end - timedelta(days=days), end)


def _note(table: Any, shown: Any) -> str:
    parts = [f"{plural(len(table), 'candle')} drawn from {number(int(table['bars'].sum()))} bars. Times are UTC."]
    if "volume" in shown.candles:
        parts.append("Volume as in the data, summed over a candle.")
    parts.append("Spread: mean over a candle, pips." if shown.features else "The bars carry no spread.")
    parts.append("Wheel or + and \u2212 zoom, drag or arrows move. Drawn with TradingView Lightweight Charts\u2122.")
    return " ".join(parts)
