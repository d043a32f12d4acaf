"""What a backtest will cost and take, beside its form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.drawn import download_drawn
from app.kit.figures import lasted, number, plural
from app.kit.table_file import titled
from app.kit.widgets import attempt, table
from worker.desk import BacktestRequest, Desk

SOURCES = {"data": "data, median", "entered": "as entered", "instrument": "instrument"}
ALT = "Costs of one lot of each instrument in this backtest"
SIDES = {"bid": "bid; buys fill at bid plus spread", "mid": "mid; each fill pays half the spread", "ask": "ask; sells fill at ask less spread"}


def costs_table(desk: Desk, request: BacktestRequest | None) -> Callable[[], None]:
    """The costs of one lot of each instrument, of the values of the form as they were last sent; what draws the button of their file, outside the form."""
    previews = attempt(lambda: desk.before_run.costs(request)) if request and request.datasets else None
    if not previews:
        return lambda: None
    currency = desk.backtests.rules_with(request, [])["account"].currency if request else ""
    rows = pd.DataFrame([row_of(preview) for preview in previews])
    table(rows, columns(currency), ALT)
    lacking = [preview.instrument for preview in previews if preview.rate is None]
    missing = f" No rate into {currency} is loaded for {', '.join(lacking)}." if lacking else ""
    sides = " ".join(f"The bars{f' of {name}' if len(previews) > 1 else ''} quote {SIDES.get(side, side)}." for name, side in _sides(previews).items())
    st.caption(f"{sides} Costs of one lot, at the last close of the period. A round trip: spread once, slippage and commission twice; no swap.{missing} After a change press **Update costs**.")
    return lambda: download_drawn("Costs, CSV", "costs_of_one_lot.csv", titled(rows, columns(currency)), "costs-of-one-lot")


def _sides(previews: Sequence[Any]) -> dict[str, str]:
    """The instruments, joined, of each side of the market that their bars quote: names -> side."""
    return {", ".join(preview.instrument for preview in previews if preview.side == side): side for side in dict.fromkeys(preview.side for preview in previews)}


def row_of(preview: Any) -> dict[str, Any]:
    """A row of the table. Slippage as a multiple of ATR has no price before the run."""
    atr = preview.slippage_kind == "atr"
    return dict(
        instrument=preview.instrument, spread=preview.spread, source=SOURCES[preview.spread_source], spread_money=preview.spread_money,
        slippage=f"{number(preview.slippage, 2)} {'× ATR' if atr else 'pips at most' if preview.slippage_kind == 'random' else 'pips'}", slippage_money=preview.slippage_money, commission=preview.commission,
        round_trip=preview.round_trip, swap_long=preview.swap_long_money, swap_short=preview.swap_short_money,
    )  # fmt: skip


def columns(currency: str) -> dict[str, Any]:
    config = st.column_config
    money: dict[str, Any] = dict(format="%.2f")
    return {
        "instrument": config.TextColumn("Instrument", width=74),
        "spread": config.NumberColumn("Spread, pips", format="%.2f", width=76),
        "source": config.TextColumn("Spread is", width=92),
        "spread_money": config.NumberColumn(f"Spread, {currency}", width=80, **money),
        "slippage": config.TextColumn("Slippage", width=78, help="A fill, at market and stop orders, always adverse."),
        "slippage_money": config.NumberColumn(f"Slippage, {currency}", width=88, help="A fill.", **money),
        "commission": config.NumberColumn(f"Commission, {currency}", width=100, help="A fill.", **money),
        "round_trip": config.NumberColumn(f"Round trip, {currency}", width=98, **money),
        "swap_long": config.NumberColumn(f"Swap long, {currency}", width=88, help="A night; negative is paid. Three nights on the instrument's triple day.", **money),
        "swap_short": config.NumberColumn(f"Swap short, {currency}", width=90, help="A night; negative is paid.", **money),
    }


def duration(desk: Desk, request: BacktestRequest | None, several: int = 1) -> str:
    """Bars and time of the request, in a caption: measured here, or not known yet."""
    if request is None or not request.datasets:
        return "Choose data and a date range first."
    estimate = desk.before_run.estimate(request)
    size = f"{number(estimate.bars)} bars{f', {several} backtests' if several > 1 else ''}"
    time = f"about {lasted(estimate.seconds)}, measured on {plural(estimate.jobs, 'earlier backtest')}" if estimate.seconds is not None else "no earlier backtest to measure the time by"
    return f"{size} · {time}" + (f" · {estimate.compiling}" if estimate.compiling else "")
