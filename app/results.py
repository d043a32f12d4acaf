"""What came of a run: its curve, its figures, its trades."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import charts
from app.figures import DASH, THIN, exact, money, multiple, number, percent, pips
from app.forms import told
from app.grid import Column, grid, right
from app.tables import trades_frame
from app.widgets import section
from worker.desk import Desk

PAGE_OF_TRADES = 5_000      # more are paged on the server
TRADE_COLUMNS: dict[str, Column] = {
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


def equity(desk: Desk, run: Any, other: Any = None, height: int = 216) -> None:
    curve, currency = _curve(desk, run.id), run.summary["currency"]
    beside = _curve(desk, other.id) if other is not None else None
    net = run.summary["metrics"]["net_return"]
    told = f"Equity of run {run.id}, net {percent(net, 1, True)}, with its drawdown beneath"
    st.altair_chart(charts.equity_pair(curve, currency, beside, height), width="stretch", alt=told)


def example_pair(desk: Desk) -> None:
    """The strategy on a market with memory, and on one without, side by side."""
    regimes, gbm = desk.house.example_runs()
    if not regimes:
        st.skeleton(294)
        st.caption("The example is being made: bars, then a backtest on them. The kernel compiles once, on the first start.")
        return
    run, other = desk.backtests.get(regimes), desk.backtests.get(gbm) if gbm else None
    equity(desk, run, other, height=190)
    said = f"Solid: bars that switch between calm, trend and panic, net {percent(run.summary['metrics']['net_return'], 1, True)}."
    if other:
        said += f" Dashed: the same rules on driftless random bars, net {percent(other.summary['metrics']['net_return'], 1, True)}; nothing there can be more than luck."
    st.caption(said + " Both are made up: no promise for any market.")


def verdict(run: Any) -> None:
    """The sentence before the figures: how far the result stands apart from luck."""
    m = run.summary["metrics"]
    t, trades = m["expectancy_t"], int(m["trades"] or 0)
    colour, icon, word, said = _verdict(t, trades, m)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        st.badge(word, color=colour, icon=icon)
        st.markdown(said, width="stretch")


def _verdict(t: float | None, trades: int, m: Mapping[str, Any]) -> tuple[Any, str, str, str]:
    if not trades:
        return "gray", ":material/remove:", "no trade", "Nothing was traded. The counts under Remarks say why."
    if t is None:
        return "gray", ":material/help:", "not measurable", f"{number(trades)} trades without a first stop: there is no R to measure them in."
    how = f"{number(trades)} trades, on average {multiple(m['expectancy_r'], 3)}, t {number(t, 2)}"
    if t <= -2:
        return "orange", ":material/trending_down:", "loses", f"{how}: losing this much by bad luck alone is unlikely."
    if t < 2:
        return "orange", ":material/help:", "not distinguishable from luck", f"{how}: a result like this comes up by luck too often to mean anything."
    return "green", ":material/check:", "stands apart from luck", f"{how}, before counting how many variants were tried on these bars."


def headline(desk: Desk, run: Any) -> list[tuple[str, str, str, str]]:
    """Eight figures with note and definition."""
    m, currency, defined = run.summary["metrics"], run.summary["currency"], desk.backtests.metrics()
    instruments = desk.backtests.instruments_of(run.id)
    pip = instruments[0].pip if len(instruments) == 1 else None
    return [
        ("Net", percent(m["net_return"], 1, True), money(m["net_profit"], currency, True), defined["net_return"].definition),
        ("Per year", percent(m["annual_return"], 1, True), "compounded", defined["annual_return"].definition),
        ("Drawdown", percent(m["max_drawdown"]), f"{number(m['longest_drawdown'])} days under", defined["max_drawdown"].definition),
        ("Sharpe", number(m["sharpe"], 2), "daily, × √252", defined["sharpe"].definition),
        ("Profit factor", number(m["profit_factor"], 2), "won ÷ lost", defined["profit_factor"].definition),
        ("Expectancy", multiple(m["expectancy_r"], 3), f"t {number(m['expectancy_t'], 2)}", defined["expectancy_r"].definition),
        ("Trades", number(m["trades"]), f"{percent(m['win_rate'], 0)} won", defined["trades"].definition),
        ("Breaks even at", *_break_even(m, pip), defined["break_even_spread"].definition),
    ]


def _break_even(m: Mapping[str, Any], pip: float | None) -> tuple[str, str]:
    if pip is None:
        return DASH, "one instrument only"
    if m["break_even_spread"] is not None and m["break_even_spread"] <= 0:
        return "none", f"loses at 0{THIN}pip too"
    return pips(m["break_even_spread"], pip), f"mean {pips(m['mean_spread'], pip)}"


def remarks(run: Any) -> None:
    section("Before you believe it")
    for said in run.summary["remarks"] or ["Nothing unusual was noticed."]:
        mark = ":orange[:material/warning:]" if run.summary["remarks"] else ":green[:material/check:]"
        st.caption(f"{mark} {said}")
    counted = ", ".join(f"{key.replace('_', ' ')} {number(count)}" for key, count in run.summary["counts"].items() if count)
    st.caption(f"{number(run.summary['signals'])} signals on {number(run.summary['bars'])} bars. {'Counted: ' + counted + '.' if counted else 'None was dropped.'}")


def trades_and_chart(desk: Desk, run: Any) -> None:
    """The table of trades, and the chosen one on its candles; without a choice the median trade."""
    trades = _trades(desk, run.id)
    if trades.empty:
        st.caption("No trade was made.")
        return
    left, right_ = st.columns([6, 5], gap="medium")
    with left:
        chosen = _table(trades, run)
    with right_:
        _one(desk, run, chosen)


def _table(trades: pd.DataFrame, run: Any) -> pd.Series:
    with st.container(horizontal=True, vertical_alignment="center"):
        section("Trades", f"{run.summary['currency']}; choose one to see it")
        st.space("stretch")
        filters = st.toggle("Filters", key="trade_filters")
    page = trades
    if len(trades) > PAGE_OF_TRADES:
        number_of = -(-len(trades) // PAGE_OF_TRADES)
        at = st.pagination(number_of, key=f"trades-page-{run.id}") - 1
        page = trades.iloc[at * PAGE_OF_TRADES : (at + 1) * PAGE_OF_TRADES]
        st.caption(f"Trades {at * PAGE_OF_TRADES + 1:,} to {at * PAGE_OF_TRADES + len(page):,} of {len(trades):,}; filters look at these.")
    row = grid(trades_frame(page), TRADE_COLUMNS, f"trades-{run.id}-{filters}", rows=11, pick=True, filters=filters)
    wanted = int(row["trade_id"]) if row is not None else _asked(trades) or _median(trades)
    return trades[trades["trade_id"] == wanted].iloc[0]


def _asked(trades: pd.DataFrame) -> int | None:
    text = st.query_params.get("trade", "")
    return int(text) if text.isdigit() and (trades["trade_id"] == int(text)).any() else None


def _median(trades: pd.DataFrame) -> int:
    by_result = trades.sort_values("pnl")
    return int(by_result["trade_id"].iloc[len(by_result) // 2])


def _one(desk: Desk, run: Any, trade: pd.Series) -> None:
    bars, instrument = desk.backtests.around(run.id, trade.to_dict())
    fills = desk.backtests.fills_of(run.id, int(trade["trade_id"]))
    result = multiple(trade["r"]) if np.isfinite(trade["r"]) else money(trade["pnl"], run.summary["currency"], True)
    section(f"Trade {trade['trade_id']}", f"{trade['side']} {number(trade['lots'], 2)} lots {trade['instrument']} · {result} · left by {trade['exit_reason'].replace('_', ' ')}")
    merged = bars.assign(bars=1)
    levels, marks = _levels(bars, trade, fills)
    told = f"Price around trade {trade['trade_id']} with entry, stop, targets and exit"
    st.altair_chart(charts.candles(merged, instrument.digits, instrument.quote, levels, marks, height=286), width="stretch", alt=told)
    st.caption(f"{len(bars)} bars of {run.spec['timeframe']}, {_side(run)}. Times are UTC.")


def _side(run: Any) -> str:
    data = run.manifest["spec"]["data"]
    return f"{data[0]['side']} prices" if data else "bid prices"


def _levels(bars: pd.DataFrame, trade: pd.Series, fills: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Entry, first stop and the targets that were reached, from entry to exit; and the walk from fill to fill."""
    def place(ts: Any) -> int:
        return max(int(bars["ts"].searchsorted(ts, side="right")) - 1, 0)

    first, last = place(trade["entry_ts"]), max(place(trade["exit_ts"]), place(trade["entry_ts"]) + 1)
    named = [("entry", trade["entry_price"], "ink"), ("stop", trade["stop_loss"], "down")]
    named += [(reason.replace("_", " "), price, "up") for reason, price in zip(fills["reason"], fills["price"], strict=True) if reason.startswith("target")]
    levels = pd.DataFrame([dict(name=name, price=price, role=role, first=first, last=last) for name, price, role in named if np.isfinite(price)])
    entry = fills["side"].iloc[0]
    marks = pd.DataFrame(dict(i=[place(ts) for ts in fills["ts"]], price=fills["price"], name=["in" if side == entry else "out" for side in fills["side"]]))
    return levels, marks


@st.cache_data(max_entries=32, show_spinner=False)
def _curve(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.backtests.equity(run_id)


@st.cache_data(max_entries=8, show_spinner=False)
def _trades(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.backtests.trades(run_id)


def sentence(desk: Desk, run: Any) -> str:
    """The question of a run in one line: the closed form."""
    spec = run.spec
    declared = {one.name: one for one in desk.backtests.params(spec["strategy"])}
    changed = " · ".join(told(declared[name], value) for name, value in spec["params"].items() if name in declared)
    names = ", ".join(one["instrument"] for one in run.manifest["spec"]["data"])
    sized = spec["sizing"]
    size = f"risk {exact(sized['value'] * 100)}{THIN}%" if sized["kind"] == "fraction_at_risk" else f"{sized['kind'].replace('_', ' ')} {exact(sized['value'])}"
    return f"**{spec['strategy']}** · {names} {spec['timeframe']} · {spec['start'][:10]} to {spec['end'][:10]} · {changed} · {size}"
