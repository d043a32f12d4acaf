"""The table of all trades, filtered and ordered by the desk, and the chosen one on its candles with its note."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.backtest import trade_filters, trade_notes
from app.backtest.chosen import choose_in_table, chosen_trade, table_key
from app.backtest.price_chart import price_chart
from app.kit.figures import money, percent
from app.kit.grid import Column, grid, right
from app.kit.tables import trades_frame
from app.kit.widgets import attempt, download, section
from worker.desk import Desk, TradeFilter

PAGE = 500          # trades that a browser gets at once
SETS = {"Result": "Prices, pips and result", "Costs": "Costs by kind", "Excursions": "MAE and MFE", "Journal": "Labels and notes"}


def columns(currency: str, digits: int, several: bool, about: Mapping[str, str] = MappingProxyType({}), chosen: str = "Result") -> dict[str, Column]:
    """Field -> title and options of one set of columns; ``digits`` of a price, ``several`` instruments, ``about``: definitions."""
    lots, r = {"lots": ("Lots", right(2, width=52))}, {"r": ("R", right(2, True, width=56))}
    held = {"hours": ("Held, h", right(1, width=60, headerTooltip=about.get("hours", "")))}
    reason = {"exit_reason": ("Exit reason", dict(minWidth=108, flex=1, cellClass="mute"))}
    sets: dict[str, dict[str, Any]] = {
        "Result": {
            "entry_price": ("Entry price", right(digits, width=78)), "exit_ts": ("Exit, UTC", dict(width=106)), "exit_price": ("Exit price", right(digits, width=74)), **reason,
            "pips": ("Pips", right(1, True, width=56, headerTooltip=about.get("pips", ""))), "cumulative": (f"Cum. net, {currency}", right(0, True, width=98, headerTooltip=about.get("cumulative", ""))), **r, **({} if several else held),
        },
        "Costs": {
            **lots, **{name: (name.capitalize(), right(2, True, width=84, headerTooltip=f"{about.get(name, '')} {currency}.")) for name in ("spread", "slippage", "commission", "swap")},
            "pips": ("Pips", right(1, True, width=60, headerTooltip=about.get("pips", ""))), "cumulative": (f"Cum. net, {currency}", right(0, True, width=98, headerTooltip=about.get("cumulative", ""))), **held,
        },
        "Excursions": {
            **r, "mae_r": ("MAE, R", right(2, width=66, headerTooltip=about.get("mae", ""))), "mfe_r": ("MFE, R", right(2, width=66, headerTooltip=about.get("mfe", ""))),
            "mae": (f"MAE, {currency}", right(2, width=84, headerTooltip=about.get("mae", ""))), "mfe": (f"MFE, {currency}", right(2, width=84, headerTooltip=about.get("mfe", ""))),
            "bars_held": ("Bars", right(0, width=56, headerTooltip="Bars held.")), **held, **reason,
        },
        "Journal": {**r, **reason, "tag": ("Tag", dict(width=90, headerTooltip="The label that the strategy gave the signal.")), "labels": ("Labels", dict(width=140)), "note": ("Note", dict(minWidth=240, flex=3, tooltipField="note"))},
    }  # fmt: skip
    own: dict[str, Any] = {"instrument": ("Instrument", dict(width=76))} if several else {}
    net = {"pnl": (f"Net, {currency}", right(0, True, width=74, headerTooltip=about.get("net", "")))}
    return {"trade_id": ("#", right(0, width=50, pinned="left")), **own, "side": ("Side", dict(width=50)), "entry_ts": ("Entry, UTC", dict(width=106)), **net, **sets[chosen]}


def view(desk: Desk, run: Any) -> None:
    """Draw the table and the chosen trade; without a choice the median trade, not the best, or the first listed where the filters leave that one out."""
    count = int(run.summary["metrics"]["trades"] or 0)
    wanted = chosen_trade(count)
    if not count:
        st.caption("No trades. See Rejected orders for the reasons.")
        return
    trade = _table(desk, run, wanted)
    if trade is not None:
        price_chart(desk, run, trade)
        trade_notes.view(desk, run, trade)
    trade_notes.elsewhere(desk, run)


def _table(desk: Desk, run: Any, wanted: int | None) -> int | None:
    """Draw controls and table; the chosen trade, in the table or before."""
    name = f"trades-{run.id}"
    key = table_key(name, wanted)
    columns_of, query = _controls(desk, run)
    first = attempt(lambda: _page(desk, run.id, query[0], *_stamped(desk, run, query), 1))
    if first is None:
        return wanted or _median(desk, run.id)
    _sentence(desk, run, first, query)
    at, pages = 1, -(-first.count // PAGE)
    if pages > 1:
        place = _place(desk, run.id, query[0], *_stamped(desk, run, query), wanted) if wanted else None
        at = st.pagination(pages, key=f"{key}-page-{_name(query)}", default=(place or 0) // PAGE + 1, max_visible_pages=5)
    page = first if at == 1 else _page(desk, run.id, query[0], *_stamped(desk, run, query), at)
    instruments, about = desk.backtests.instruments_of(run.id), dict(desk.trade_list.definitions())
    shown = columns(run.summary["currency"], max((instrument.digits for instrument in instruments), default=5), len(instruments) != 1, about, columns_of)
    if pages > 1:       # the browser has one page: an order made there would be of that page alone
        shown = {name: (title, {**options, "sortable": False}) for name, (title, options) in shown.items()}
    rows = _rows(page.page)
    places = np.flatnonzero(rows["trade_id"] == (wanted or 0))
    row = grid(rows, shown, f"{key}-{columns_of}-{at}-{_name(query)}", rows=9, pick=True, chosen=int(places[0]) if len(places) else None)
    return choose_in_table(name, int(row["trade_id"]) if row is not None else None, wanted) or unchosen(desk, run, query, rows)


def unchosen(desk: Desk, run: Any, query: tuple[TradeFilter, str, bool], rows: pd.DataFrame) -> int | None:
    """The median trade; where the filters leave it out, the first that is listed; None where nothing is."""
    median = _median(desk, run.id)
    listed = not trade_filters.number_of(run) or _place(desk, run.id, query[0], *_stamped(desk, run, query), median) is not None
    return median if listed else int(rows["trade_id"].iloc[0]) if len(rows) else None


def _controls(desk: Desk, run: Any) -> tuple[str, tuple[TradeFilter, str, bool]]:
    """Draw what chooses columns, order and trades, and read it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        section("Trades", "click one to see it on its bars")
        st.space("stretch")
        by, down = trade_filters.order(run)
        active = trade_filters.number_of(run)
        with st.popover(f"Filters · {active} set" if active else "Filters", icon=":material/filter_alt:", type="secondary"):
            trade_filters.fields(desk, run)
    chosen = st.segmented_control("Columns", list(SETS), default="Result", key=f"trades-{run.id}-columns", label_visibility="collapsed", required=True)
    return str(chosen), (trade_filters.chosen(run), by, down)


def _sentence(desk: Desk, run: Any, page: Any, query: tuple[TradeFilter, str, bool]) -> None:
    """How many fit, and what they made; with the download of all of them."""
    currency = run.summary["currency"]
    which = f"{page.count:,} of {page.total:,} trades" if page.count != page.total else f"All {page.total:,} trades"
    result = f" · net {money(page.net, currency, True)} · win rate {percent(page.won / page.count, 0)}" if page.count else ". Change the filters to see some"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{which}{result}. Times are UTC.", width="content")
        st.space("stretch")
        name = f"{run.id}_{run.spec['strategy']}_trades.csv"
        download("CSV", name, "text/csv", partial(desk.trade_list.download, run.id, *query), f"trades-{run.id}-csv", "These trades with every column: prices, pips, costs by kind, excursions, labels and notes.")


def _name(query: tuple[TradeFilter, str, bool]) -> str:
    return hashlib.sha256(repr(query).encode()).hexdigest()[:12]


def _stamped(desk: Desk, run: Any, query: tuple[TradeFilter, str, bool]) -> tuple[str, str, bool, str]:
    """What names a cached page: filter, order, and the last change of the notes."""
    notes = desk.journal.of(run.id).on.values()
    return repr(query[0]), query[1], query[2], str(max((note.at for note in notes), default="")) + str(len(notes))


def _rows(page: pd.DataFrame) -> pd.DataFrame:
    return trades_frame(page).assign(labels=page["labels"].map(", ".join))


@st.cache_data(max_entries=8, show_spinner=False)
def _page(_desk: Desk, run_id: str, _chosen: TradeFilter, words: str, by: str, down: bool, notes: str, at: int) -> Any:
    return _desk.trade_list.find(run_id, _chosen, by, down, at, PAGE)


@st.cache_data(max_entries=8, show_spinner=False)
def _place(_desk: Desk, run_id: str, _chosen: TradeFilter, words: str, by: str, down: bool, notes: str, trade: int) -> int | None:
    return _desk.trade_list.place(run_id, trade, _chosen, by, down)


@st.cache_data(max_entries=32, show_spinner=False)
def _median(_desk: Desk, run_id: str) -> int:
    return _desk.trades.median(run_id)
