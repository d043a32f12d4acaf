"""One session: state, figures, equity against its floors, positions, decisions with those refused, orders, fills, bars, log."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.compliance.charts import floors
from app.kit.charts import equity_pair
from app.kit.figures import DASH, ago, clock, money, number, percent, plural, typeset
from app.kit.text import literal
from app.kit.widgets import attempt, download, figures, section, table
from app.paper import charts
from app.paper.controls import controls
from worker.desk import Desk

COLOURS: dict[str, Any] = {"running": "green", "paused": "orange", "halted": "red", "error": "red", "differs": "red", "waiting": "blue", "ready": "blue"}
DOWNLOADS = ("trades", "fills", "equity", "decisions", "tape", "commands")
BARS = 120          # drawn of each series
WORDS = {"bar_ts": "Bar, UTC", "ts": "UTC", "entry_ts": "Entry, UTC", "exit_ts": "Exit, UTC", "pnl": "P&L", "r": "R", "tag": "Tag"}
TABLES = {
    "Decisions": ("decisions", ("ts", "series", "strategy", "side", "order", "verdict", "reason", "lots_asked", "lots_given", "stop_loss")),
    "Fills": ("fills", ("ts", "instrument", "side", "lots", "price", "commission", "reason", "trade_id")),
    "Trades": ("trades", ("entry_ts", "exit_ts", "instrument", "side", "lots", "entry_price", "exit_price", "pnl", "r", "exit_reason")),
    "Commands": ("commands", ("ts", "who", "command", "arguments", "reason")),
    "Log": ("log", ("ts", "kind", "text")),
}


def session(desk: Desk, row: Any) -> None:
    """Draw one session whole."""
    view = desk.paper.get(row.name)
    _head(desk, view)
    _state(view)
    figures(_figures(view))
    _proposals(desk, view)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _equity(view)
        _positions(view)
    with right:
        _newest(view, "Decisions")
        _waiting(view)
    _bars(desk, view)
    _tables(view)
    _downloads(desk, view)


def _head(desk: Desk, view: Any) -> None:
    row = view.row
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(literal(row.name), anchor=False, width="content")
        st.badge(row.word, color=COLOURS.get(row.state, "gray"))
        st.space("stretch")
        if not row.over:
            controls(desk, view)
    st.caption(literal(_sentence(view)))


def _sentence(view: Any) -> str:
    row = view.row
    clock_ = f"{'replay clock' if row.source == 'replay' else 'clock of the prices'} {clock(view.clock)} UTC" if view.clock else "no bar yet"
    closes = f" · next close {clock(view.next_close)} UTC" if view.next_close and not row.over else ""
    return f"{row.title} · {row.broker} · {'approve' if row.mode == 'approve' else 'automatic'} · {clock_}{closes}"


def _state(view: Any) -> None:
    """What a state means for the person, where it needs one."""
    row, reason = view.row, typeset(view.row.reason) if view.row.reason else ""
    if row.state == "error":
        st.error(literal(reason or "The session failed."), title="Stopped by an error", icon=":material/error:")
    elif row.state == "differs":
        st.error(literal(f"The broker's book differs from ours. {reason} No entries until a person adopts what is there or closes it."), icon=":material/error:")
    elif row.state == "waiting" and row.source == "replay":
        st.info("The stored bars are being read; right after an installation the engine is compiled first.", icon=":material/hourglass_empty:")
    elif row.state == "waiting":
        st.info("Waiting for prices: nothing is decided until the feed gives some.", icon=":material/hourglass_empty:")
    elif row.state == "ready":
        st.info("Waiting for a worker to take the session up.", icon=":material/hourglass_empty:")
    elif row.state == "paused":
        st.warning("Paused: no entries. Stops, targets and exits go on.", icon=":material/pause:")
    elif row.price_age is not None and row.price_age > 30 and row.source != "replay" and not row.over:
        st.warning(f"The newest price is {ago(row.price_age)[:-4]} old. New orders wait until it is fresh.", icon=":material/warning:")
    if recovered := int(view.bars["recovered"].astype(bool).sum()) if len(view.bars) else 0:
        st.caption(f":violet[{plural(recovered, 'bar')} recovered] after a break, among the newest {len(view.bars):,}. No order was missed or made up for them.")


def _figures(view: Any) -> list[tuple[str, str, str, str]]:
    row, values = view.row, view.figures
    share = row.equity / row.start - 1.0 if row.start else None
    return [
        ("Equity", money(row.equity, row.currency), percent(share, 2, True), "Balance and open positions at their last closes; the change is since the start."),
        ("Today", money(row.today, row.currency, sign=True), "since 00:00 UTC", "Change of equity since the UTC day began."),
        ("Balance", money(row.balance, row.currency), "", "Without open positions."),
        ("Daily loss used", percent(row.daily_loss_used), "of the limit" if row.daily_loss_used is not None else "no limit", "Share of the daily loss limit that today's loss uses."),
        ("Open positions", number(float(row.open)), f"{len(view.orders)} waiting", ""),
        ("Bars", number(float(row.bars)), f"{number(values.get('dropped') or 0.0)} dropped", "Bars traded; dropped ones were out of order, twice, without a price or with the high under the low."),
        ("Backlog", number(float(view.backlog)), f"{number(values.get('commands_waiting') or 0.0)} commands", "Instants, and commands, that wait to be worked."),
    ]


def _proposals(desk: Desk, view: Any) -> None:
    if not len(view.proposals):
        return
    section("Proposals", "each waits until its next bar ends, then it is expired")
    for number_, proposal in enumerate(view.proposals.to_dict("records")):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(literal(" · ".join(f"{key.replace('_', ' ')} {value}" for key, value in proposal.items() if value == value and value not in (None, ""))), width="stretch")
            if st.button("Approve", type="primary", key=f"approve-{number_}", disabled=bool(desk.paper.refused("approve", view.row))):
                given = dict(order=int(proposal["order_id"]), series=str(proposal.get("series") or ""), strategy=str(proposal.get("strategy") or ""))
                attempt(partial(desk.paper.command, view.row.name, "approve", given))
                st.rerun()


def _equity(view: Any) -> None:
    curve, row = view.equity, view.row
    if len(curve) < 2:
        st.caption("The equity curve begins with the first bars that end.")
        return
    lines = charts.floor_lines(curve, view.plan["rules"]["limits"], row.start)
    section("Equity and its floors" if len(lines) else "Equity and drawdown", f"{row.currency}, UTC; the newest {len(curve):,} instants")
    takeaway = f"Equity of {row.name}: {money(row.equity, row.currency)}, started with {money(row.start, row.currency)}"
    if len(lines):
        st.altair_chart(floors(curve, lines, row.currency), width="stretch", alt=takeaway)
    else:
        st.altair_chart(equity_pair(curve.assign(drawdown=curve["equity"] / curve["equity"].cummax() - 1.0), row.currency, height=170), width="stretch", alt=takeaway)


def _positions(view: Any) -> None:
    section("Open positions", "prices in price units")
    if not len(view.positions):
        st.caption("None open.")
        return
    shown = view.positions.replace({"side": {1: "long", -1: "short"}}) if "side" in view.positions else view.positions
    table(shown, {name: st.column_config.Column(_title(name)) for name in shown}, f"{len(shown)} open positions", key="positions")


def _newest(view: Any, name: str, rows: int = 8) -> None:
    section("Decisions", "newest first, those refused too")
    frame = view.decisions.head(rows)
    if not len(frame):
        st.caption("None yet.")
        return
    _frame(frame, ("ts", "series", "side", "verdict", "reason", "lots_given"), f"the newest {len(frame)} decisions")


def _waiting(view: Any) -> None:
    section("Orders that wait")
    if not len(view.orders):
        st.caption("None.")
        return
    table(view.orders, {name: st.column_config.Column(_title(name)) for name in view.orders}, f"{len(view.orders)} waiting orders")


def _bars(desk: Desk, view: Any) -> None:
    if not len(view.bars):
        return
    names = list(view.bars["series"].unique())
    section("Bars as traded", "UTC; recovered ones are marked")
    chosen = st.segmented_control("Series", names, default=names[0], required=True, key=f"bars-{view.row.name}", label_visibility="collapsed") if len(names) > 1 else names[0]
    instrument = desk.data.instruments()[chosen.split(" ")[0]]
    shown = view.bars[view.bars["series"] == chosen].tail(BARS).reset_index(drop=True)
    if len(shown) > 1:
        digits = max(len(f"{instrument.tick:.10f}".rstrip("0").split(".")[1]), 0)
        st.altair_chart(charts.bars(shown, digits, instrument.quote), width="stretch", alt=f"The last {len(shown)} bars of {chosen}, closing at {shown['close'].iloc[-1]:g}")


def _tables(view: Any) -> None:
    tabs = st.tabs(list(TABLES), key="paper-view", on_change="rerun")
    for tab, (name, (what, columns)) in zip(tabs, TABLES.items(), strict=True):
        if not tab.open:
            continue
        with tab:
            frame = getattr(view, what)
            if not len(frame):
                st.caption("Nothing yet.")
                continue
            _frame(frame.iloc[::-1] if what == "commands" else frame, columns, f"the newest {len(frame)} of {name.lower()}", height=min(34 + 28 * (len(frame) + 1), 420))


def _frame(frame: pd.DataFrame, columns: tuple[str, ...], alt: str, height: Any = "auto") -> None:
    config = st.column_config
    shown = frame[[name for name in columns if name in frame]].copy()
    for name in shown:
        if shown[name].dtype == object:
            shown[name] = [DASH if value is None or value != value else value if isinstance(value, (int, float)) else str(value).replace("_", " ") for value in shown[name]]
    made = {name: config.DatetimeColumn(_title(name), timezone="UTC", format="YYYY-MM-DD HH:mm") if name.endswith("ts") else config.Column(_title(name)) for name in shown}
    table(shown, made, alt, height=height)


def _title(name: str) -> str:
    return WORDS.get(name) or name.replace("_", " ").capitalize()


def _downloads(desk: Desk, view: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption("All rows:", width="content")
        for what in DOWNLOADS:
            download(f"{what.capitalize()}, CSV", f"{view.row.name}_{what}.csv", "text/csv", partial(desk.paper.download, view.row.name, what), f"paper-{what}", "With tape and commands a backtest makes the same trades again." if what in ("tape", "commands") else "")
