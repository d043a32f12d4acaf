"""The table of trades, and the chosen one on its candles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.kit import charts
from app.kit.figures import money, multiple, number
from app.kit.grid import Column, grid, right
from app.kit.tables import trades_frame
from app.kit.widgets import section
from worker.desk import Desk

PAGE = 2_000        # trades that a browser gets at once; more are paged on the server
COLUMNS: dict[str, Column] = {
    "trade_id": ("#", dict(width=52, type="rightAligned")),
    "side": ("Side", dict(width=58)),
    "exit_ts": ("Closed, UTC", dict(width=120)),
    "r": ("R", right(2, True, width=62)),
    "pnl": ("Net", right(0, True, width=70)),
    "lots": ("Lots", right(2, width=62)),
    "exit_reason": ("Left by", dict(width=86, cellClass="mute")),
    "bars_held": ("Bars", right(0, width=58)),
    "instrument": ("Instrument", dict(width=92)),
    "entry_ts": ("Opened, UTC", dict(width=120)),
    "mae_r": ("MAE, R", right(2, width=72)),
    "mfe_r": ("MFE, R", right(2, width=72)),
}


def view(desk: Desk, run: Any) -> None:
    """Without a choice the median trade is shown, not the best."""
    count = int(run.summary["metrics"]["trades"] or 0)
    if not count:
        st.caption("No trade was made. The counts under Refused say why.")
        return
    left, right_ = st.columns([6, 5], gap="medium")
    with left:
        chosen = _table(desk, run, count)
    with right_:
        _one(desk, run, chosen)


def _table(desk: Desk, run: Any, count: int) -> int:
    with st.container(horizontal=True, vertical_alignment="center"):
        section("Trades", f"{run.summary['currency']}; choose one to see it")
        st.space("stretch")
        filters = st.toggle("Filters", key="trade_filters")
    asked, at = _asked(count), 1
    if count > PAGE:
        with st.container(horizontal=True, vertical_alignment="center"):
            at = st.pagination(-(-count // PAGE), key=f"trades-page-{run.id}", default=((asked or 1) - 1) // PAGE + 1, max_visible_pages=5)
            st.caption(f"{(at - 1) * PAGE + 1:,} to {min(at * PAGE, count):,} of {count:,}; filters look at these")
    row = grid(_page(desk, run.id, at), COLUMNS, f"trades-{run.id}-{filters}-{at}", rows=11, pick=True, filters=filters)
    return int(row["trade_id"]) if row is not None else asked or _median(desk, run.id)


def _asked(count: int) -> int | None:
    text = st.query_params.get("trade", "")
    return int(text) if text.isdigit() and 1 <= int(text) <= count else None


def _one(desk: Desk, run: Any, chosen: int) -> None:
    walk = desk.trades.walk(run.id, chosen)
    trade, one = walk.trade, walk.instrument
    result = multiple(trade["r"]) if np.isfinite(trade["r"]) else money(trade["pnl"], run.summary["currency"], True)
    section(f"Trade {chosen}", f"{trade['side']} {number(trade['lots'], 2)} lots {trade['instrument']} · {result} · left by {trade['exit_reason'].replace('_', ' ')}")
    roles = {"entry": "ink", "first stop": "down"}
    levels = walk.levels.assign(role=[roles.get(name, "up") for name in walk.levels["name"]])
    picture = charts.candles(walk.bars, one.digits, one.quote, levels, _marks(walk.fills), height=286, path=walk.path)
    st.altair_chart(picture, width="stretch", alt=f"Price around trade {chosen} with entry, the stop as it moved, targets and every exit")
    moved = walk.path["price"].nunique() > 1 if len(walk.path) else False
    other = "" if trade["side"] == "long" else f" A short closes at the ask, {walk.side} prices are drawn."
    bars = int(walk.bars["bars"].sum())
    drawn = f"{bars:,} bars of {run.spec['timeframe']}" if bars == len(walk.bars) else f"{len(walk.bars):,} candles drawn from {bars:,} bars of {run.spec['timeframe']}"
    st.caption(f"{drawn}, UTC. Solid: the stop{' as it moved' if moved else ', which never moved'}.{other}")


def _marks(fills: pd.DataFrame) -> pd.DataFrame:
    into = fills["side"].iloc[0]
    return fills.assign(name=np.where(fills["side"] == into, "in", "out"), what=fills["reason"].str.replace("_", " "))[["i", "ts", "price", "name", "what", "lots"]]


@st.cache_data(max_entries=8, show_spinner=False)
def _page(_desk: Desk, run_id: str, at: int) -> pd.DataFrame:
    return trades_frame(_desk.trades.page(run_id, at, PAGE, list(COLUMNS)))


@st.cache_data(max_entries=32, show_spinner=False)
def _median(_desk: Desk, run_id: str) -> int:
    return _desk.trades.median(run_id)
