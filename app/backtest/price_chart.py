"""The chart of a whole run: its bars at any zoom, every entry and exit, the chosen trade's levels, the strategy's columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.backtest.chart_data import chart_data, visible
from app.backtest.chart_view import draw, follow, go, opened
from app.backtest.chosen import choose_trade
from app.backtest.running import begin, under_way
from app.drawn import download_drawn
from app.kit.figures import money, multiple, number
from app.kit.rights import allowed
from app.kit.widgets import section
from worker.desk import Desk
from worker.desk.outcomes import label

MARGIN = (40, 30)       # bars shown before and after a trade
MOST_COLUMNS = 4        # drawn at first
JOB = "features_job"    # query parameter
FEATURES_HELP = "Computes the columns that the strategy decided on, of all bars of the run, and draws them. Once a run."
DRAWN_SIDES = {
    "bid": "Bid prices are drawn; long entries and short exits fill at the ask. ",
    "mid": "Mid prices are drawn; each fill pays half the spread. ",
}  # fmt: skip


def price_chart(desk: Desk, run: Any, trade: int | None) -> None:
    """Draw the chart; ``trade`` is the chosen one, whose instrument and surroundings it opens at."""
    under_way(desk, JOB)
    if trade:
        _heading(desk, run, trade)
    _chart(desk, run, trade)


def _heading(desk: Desk, run: Any, number_: int) -> None:
    trade = desk.trades.protection(run.id, number_).trade
    result = multiple(trade["r"]) if np.isfinite(trade["r"]) else money(trade["pnl"], run.summary["currency"], True)
    section(f"Trade {number_}", f"{trade['side']} {number(trade['lots'], 2)} lots {trade['instrument']} · {result} · {label(trade['exit_reason'])}")


@st.fragment
def _chart(desk: Desk, run: Any, trade: int | None) -> None:
    series = desk.run_chart.series(run.id)
    if not series:
        st.caption("The data of this run is no longer stored, so its chart cannot be drawn. Import it again, or reproduce the run.")
        return
    place = desk.run_chart.place(run.id, trade) if trade else None
    state = _state(desk, run.id, trade, place, list(series))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = _instrument(state, list(series), run.id)
        rows = desk.run_chart.rows(run.id, name)
        own = place if place and place[0] == name else None
        _buttons(state, run, rows, own)
        columns = _columns(desk, run)
        st.space("stretch")
        csv = st.container(width="content")
    follow(state, f"{run.id}/{name}", f"chart-{run.id}-{name}")
    shown = desk.run_chart.view(run.id, name, state["load"][0], state["load"][1], state["budget"], trade if own else None)
    data = chart_data(shown, series[name][0], series[name][1], run, trade, columns) | dict(go=dict(state["go"]), key=f"{run.id}/{name}")
    picked = draw(f"chart-{run.id}-{name}", data)
    table = visible(shown, state["seen"][0], state["seen"][1], columns)
    with csv:
        download_drawn("Candles CSV", f"{run.id}_{name}_candles.csv", table, f"candles-{run.id}", f"run:{run.id}")
    st.caption(_note(run, table, shown))
    if picked.picked:
        choose_trade(int(picked.picked))
        st.rerun()


def _state(desk: Desk, run_id: str, trade: int | None, place: tuple[str, int, int] | None, names: list[str]) -> dict[str, Any]:
    """What this reader sees of the run. Another chosen trade moves it there; ``go`` is where the browser is sent."""
    key = f"chart-{run_id}"
    if key not in st.session_state:
        st.session_state[key] = opened(0, desk.run_chart.rows(run_id, names[0])) | dict(instrument=names[0], trade=None)
    state: dict[str, Any] = st.session_state[key]
    if trade != state["trade"]:
        state["trade"] = trade
        if place:
            state["instrument"] = place[0]
            _to_trade(state, place)
    return state


def _to_trade(state: dict[str, Any], place: tuple[str, int, int]) -> None:
    go(state, place[1] - MARGIN[0], place[2] + MARGIN[1])


def _instrument(state: dict[str, Any], names: list[str], run_id: str) -> str:
    """The instrument whose bars are drawn: a choice where the run has several."""
    if len(names) > 1:
        key = f"chart-instrument-{run_id}"
        if st.session_state.get(key) != state["instrument"]:
            st.session_state[key] = state["instrument"]
        st.selectbox("Instrument", names, key=key, width=130, on_change=lambda: state.update(instrument=st.session_state[key]))
    return str(state["instrument"])


def _buttons(state: dict[str, Any], run: Any, rows: int, own: tuple[str, int, int] | None) -> None:
    st.button("Whole run", key=f"chart-all-{run.id}", on_click=go, args=(state, 0, rows))
    if own:
        st.button("Chosen trade", key=f"chart-trade-{run.id}", on_click=_to_trade, args=(state, own))


def _columns(desk: Desk, run: Any) -> list[str]:
    """The strategy's columns that are drawn; a button where they were not computed yet."""
    stored = desk.run_chart.features_run(run.id)
    if stored is None:
        if desk.run_chart.has_features(run.id) and st.button("Strategy's features", icon=":material/show_chart:", key=f"chart-features-{run.id}", **allowed(desk, "run_chart.submit_features", help=FEATURES_HELP)):
            begin(JOB, lambda: desk.run_chart.submit_features(run.id))
        return []
    names = list(stored.summary["columns"])
    with st.popover("Features", icon=":material/show_chart:"):
        return st.multiselect("Features", names, names[:MOST_COLUMNS], key=f"chart-columns-{run.id}", max_selections=8, help="The columns that the strategy decided on, as the run computed them; of several bars in a candle the last value.")


def _note(run: Any, table: pd.DataFrame, shown: Any) -> str:
    bars = int(table["bars"].sum())
    drawn = f"{number(bars)} bars of {run.spec['timeframe']}" if bars == len(table) else f"{number(len(table))} candles drawn from {number(bars)} bars of {run.spec['timeframe']}"
    fills = "Arrow: entry, up buys and down sells. Square: exit, coloured by the trade's result. Click one to choose its trade." if shown.marks.single is not None else "Numbers: trades entered in that period; click one to zoom in."
    return f"{drawn}, UTC. {fills} {_drawn_side(run)}Wheel or + and \u2212 zoom, drag or arrows move, N and P go to the next and previous trade. Drawn with TradingView Lightweight Charts\u2122."


def _drawn_side(run: Any) -> str:
    """Why fills lie off the candles: the prices that are drawn; empty where the instruments differ in them.

    >>> from types import SimpleNamespace
    >>> _drawn_side(SimpleNamespace(manifest=dict(spec=dict(data=[dict(side="bid"), dict(side="bid")]))))
    'Bid prices are drawn; long entries and short exits fill at the ask. '
    >>> _drawn_side(SimpleNamespace(manifest=dict(spec=dict(data=[dict(side="bid"), dict(side="mid")]))))
    ''
    """
    sides = {dataset.get("side", "") for dataset in run.manifest["spec"]["data"]}
    return DRAWN_SIDES.get(sides.pop(), "") if len(sides) == 1 else ""
