"""The table of trades, and the chosen one on the chart of the run."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.chosen import choose_in_table, chosen_trade, table_key
from app.backtest.price_chart import price_chart
from app.kit.grid import FILTERS, Column, grid, right
from app.kit.tables import trades_frame
from app.kit.widgets import section
from worker.desk import Desk

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
    wanted, at, name = chosen_trade(count), 1, f"trades-{run.id}"
    key = table_key(name, wanted)
    if count > PAGE:
        with st.container(horizontal=True, vertical_alignment="center"):
            at = st.pagination(-(-count // PAGE), key=f"{key}-page", default=((wanted or 1) - 1) // PAGE + 1, max_visible_pages=5)
            st.caption(f"{(at - 1) * PAGE + 1:,} to {min(at * PAGE, count):,} of {count:,}; filters apply to this page")
    instruments = desk.backtests.instruments_of(run.id)
    shown = columns(run.summary["currency"], max((instrument.digits for instrument in instruments), default=5), len(instruments) != 1)
    rows = _page(desk, run.id, at)
    place = rows.index[rows["trade_id"] == wanted]
    row = grid(rows, shown, f"{key}-{filters}-{at}", rows=9, pick=True, filters=filters, chosen=int(place[0]) if len(place) else None)
    return choose_in_table(name, int(row["trade_id"]) if row is not None else None, wanted) or _median(desk, run.id)


@st.cache_data(max_entries=8, show_spinner=False)
def _page(_desk: Desk, run_id: str, at: int) -> pd.DataFrame:
    return trades_frame(_desk.trades.table(run_id, at, PAGE))


@st.cache_data(max_entries=32, show_spinner=False)
def _median(_desk: Desk, run_id: str) -> int:
    return _desk.trades.median(run_id)
