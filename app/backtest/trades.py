"""The table of trades, and the chosen one on its candles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.backtest.price_chart import price_chart
from app.kit import charts
from app.kit.figures import money, multiple, number
from app.kit.grid import FILTERS, Column, grid, right
from app.kit.tables import trades_frame
from app.kit.widgets import section
from worker.desk import Desk
from worker.desk.outcomes import label

PAGE = 2_000        # trades that a browser gets at once; more are paged on the server


def columns(currency: str, digits: int, several: bool) -> dict[str, Column]:
    """Field -> title and options; ``digits`` of a price, ``several`` instruments."""
    own: dict[str, Column] = {"instrument": ("Instrument", dict(width=88))} if several else {}
    return {
        "trade_id": ("#", right(0, width=46, pinned="left")),
        **own,
        "side": ("Side", dict(width=50)),
        "entry_ts": ("Entry, UTC", dict(width=112)),
        "entry_price": ("Entry price", right(digits, width=78)),
        "exit_ts": ("Exit, UTC", dict(width=112)),
        "exit_price": ("Exit price", right(digits, width=74)),
        "exit_reason": ("Exit reason", dict(width=104, cellClass="mute")),
        "lots": ("Lots", right(2, width=48)),
        "pips": ("Pips", right(1, True, width=54, headerTooltip="From entry to exit, for the side of the trade.")),
        "charges": ("Costs", right(2, True, width=56, headerTooltip=f"Commission and swap, {currency}. Spread and slippage are in the prices.")),
        "pnl": (f"PnL, {currency}", right(0, True, width=70, headerTooltip="Net, after all costs.")),
        "cumulative": ("Cum. PnL", right(0, True, width=72, headerTooltip=f"PnL of all trades closed so far, {currency}.")),
        "r": ("R", right(2, True, width=50)),
        "bars_held": ("Bars", right(0, width=46, headerTooltip="Bars held.")),
        "mae_r": ("MAE, R", right(2, width=56, headerTooltip="Maximum adverse excursion.")),
        "mfe_r": ("MFE, R", right(2, width=56, headerTooltip="Maximum favourable excursion.")),
    }


def view(desk: Desk, run: Any) -> None:
    """Draw the table and the chosen trade; without a choice the median trade, not the best."""
    count = int(run.summary["metrics"]["trades"] or 0)
    if not count:
        st.caption("No trades. See Rejected orders for the reasons.")
        return
    trade = _table(desk, run, count)
    price_chart(desk, run, trade)


def _table(desk: Desk, run: Any, count: int) -> int:
    with st.container(horizontal=True, vertical_alignment="center"):
        section("Trades", "click one to see it on the chart; times are UTC")
        st.space("stretch")
        filters = st.toggle("Filters", key="trade_filters", help=FILTERS)
    wanted, at = _wanted(count), 1
    if count > PAGE:
        with st.container(horizontal=True, vertical_alignment="center"):
            at = st.pagination(-(-count // PAGE), key=f"trades-page-{run.id}", default=((wanted or 1) - 1) // PAGE + 1, max_visible_pages=5)
            st.caption(f"{(at - 1) * PAGE + 1:,} to {min(at * PAGE, count):,} of {count:,}; filters apply to this page")
    instruments = desk.backtests.instruments_of(run.id)
    shown = columns(run.summary["currency"], max((instrument.digits for instrument in instruments), default=5), len(instruments) != 1)
    row = grid(_page(desk, run.id, at), shown, f"trades-{run.id}-{filters}-{at}", rows=9, pick=True, filters=filters)
    return int(row["trade_id"]) if row is not None else wanted or _median(desk, run.id)


def _wanted(count: int) -> int | None:
    text = st.query_params.get("trade", "")
    return int(text) if text.isdigit() and 1 <= int(text) <= count else None


def _trade(desk: Desk, run: Any, chosen: int) -> None:
    walk = desk.trades.walk(run.id, chosen)
    trade, instrument = walk.trade, walk.instrument
    result = multiple(trade["r"]) if np.isfinite(trade["r"]) else money(trade["pnl"], run.summary["currency"], True)
    section(f"Trade {chosen}", f"{trade['side']} {number(trade['lots'], 2)} lots {trade['instrument']} · {result} · {label(trade['exit_reason'])}")
    roles = {"entry": "ink", "initial stop": "down"}
    levels = walk.levels.assign(role=[roles.get(name, "up") for name in walk.levels["name"]])
    picture = charts.candles(walk.bars, instrument.digits, instrument.quote, levels, _marks(walk.fills), height=286, path=walk.path)
    st.altair_chart(picture, width="stretch", alt=f"Price around trade {chosen} with entry, the stop as it moved, targets and every exit")
    moved = walk.path["price"].nunique() > 1 if len(walk.path) else False
    other = "" if trade["side"] == "long" or walk.side == "ask" else f" Short exits fill at the ask; the chart shows {walk.side} prices."
    bars = int(walk.bars["bars"].sum())
    drawn = f"{bars:,} bars of {run.spec['timeframe']}" if bars == len(walk.bars) else f"{len(walk.bars):,} candles drawn from {bars:,} bars of {run.spec['timeframe']}"
    st.caption(f"{drawn}, UTC. Solid line: {'trailing stop level' if moved else 'stop level, which never moved'}.{other}")


def _marks(fills: pd.DataFrame) -> pd.DataFrame:
    into = fills["side"].iloc[0]
    return fills.assign(name=np.where(fills["side"] == into, "in", "out"), what=fills["reason"].map(label))[["i", "ts", "price", "name", "what", "lots"]]


@st.cache_data(max_entries=8, show_spinner=False)
def _page(_desk: Desk, run_id: str, at: int) -> pd.DataFrame:
    return trades_frame(_desk.trades.table(run_id, at, PAGE))


@st.cache_data(max_entries=32, show_spinner=False)
def _median(_desk: Desk, run_id: str) -> int:
    return _desk.trades.median(run_id)
