"""One session: state, figures, equity against its floors, positions, decisions with those refused, orders, fills, bars, log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import streamlit as st

from app.compliance.charts import floors
from app.kit.charts import equity_pair
from app.kit.draw import draw_chart
from app.kit.figures import ago, clock, money, number, plural
from app.kit.text import literal
from app.kit.widgets import download, figures, section
from app.paper import charts, state, tables
from app.paper.acting import act
from app.paper.broker import account
from app.paper.controls import controls
from app.paper.figures import rows
from worker.desk import Desk

DOWNLOADS = ("trades", "fills", "equity", "decisions", "tape", "commands")
BARS = 120          # drawn of each series
NOT_LATE = {True: "No order was missed or made up for them.", False: "An order decided on them is missed: none is sent late."}     # on paper, at a broker


def session(desk: Desk, row: Any) -> None:
    """Draw one session whole."""
    view, digits = desk.paper.get(row.name), tables.digits_of(desk.data.instruments())
    _head(desk, view)
    if view.edited:
        st.caption(f":material/info: {', '.join(view.edited)} {'was' if len(view.edited) == 1 else 'were'} edited under Instruments after this session started. The session trades on with the instrument as it was then; a new session takes the edit.")
    state.boxes(view.row)
    figures(rows(view, desk.session_analysis.checked(row.name)))
    account(desk, view, digits)
    _proposals(desk, view, digits)
    tables.positions(view, digits)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _equity(view)
    with right:
        tables.newest(view)
        tables.waiting(view, digits)
    _bars(desk, view, digits)
    tables.tabs(view, digits)
    _downloads(desk, view)


def _head(desk: Desk, view: Any) -> None:
    row = view.row
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(literal(row.name), anchor=False, width="content")
        state.badge(row)
        st.space("stretch")
        if not row.over:
            controls(desk, view)
    st.caption(literal(_sentence(view)))


def _sentence(view: Any) -> str:
    row = view.row
    clock_ = f"{'replay clock' if row.source == 'replay' else 'clock of the prices'} {clock(view.clock)} UTC" if view.clock else "no bar yet"
    closes = f" · next close {clock(view.next_close)} UTC" if view.next_close and not row.over else ""
    price = f" · oldest price {ago(row.price_age)}" if row.price_age is not None and row.source != "replay" and not row.over else ""
    bars = f"{number(float(row.bars))} bars" + (f", {number(dropped)} dropped" if (dropped := view.figures.get("dropped") or 0.0) else "")
    return f"{row.title} · {row.broker} · {'approve' if row.mode == 'approve' else 'automatic'} · {clock_}{closes} · {bars}{price}"


def _proposals(desk: Desk, view: Any, digits: tables.Digits) -> None:
    if not len(view.proposals):
        return
    section("Proposals", "each waits until its next bar ends, then it is expired")
    for number_, proposal in enumerate(view.proposals.to_dict("records")):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(literal(_proposal(proposal, digits)), width="stretch")
            refused = desk.paper.refused("approve", view.row)
            if st.button("Approve", type="primary" if not number_ else "secondary", key=f"approve-{number_}", disabled=bool(refused), help=refused or None):
                given = dict(order=int(proposal["order_id"]), series=str(proposal.get("series") or ""), strategy=str(proposal.get("strategy") or ""))
                act(partial(desk.paper.command, view.row.name, "approve", given))


def _proposal(row: Mapping[str, Any], digits: tables.Digits) -> str:
    """An order to approve in words: what, where, since when."""
    places = digits.get(str(row["series"]).rpartition(" ")[0], 5)
    prices = [f"{word} {tables.price(row[name], places)}" for word, name in (("at", "price"), ("stop", "stop_loss")) if row.get(name) is not None and row[name] == row[name]]
    decided = clock(datetime.fromtimestamp(int(row["ts"]) / 1e9, UTC))
    return " · ".join([f"{row['side']} {row['series']}", f"{row['order']} order {row['order_id']} of {row['strategy']}", *prices, f"decided {decided} UTC"])


def _equity(view: Any) -> None:
    curve, row = view.equity, view.row
    if len(curve) < 2:
        st.caption("The equity curve begins with the first bars that end.")
        return
    begun = row.start if row.broker == "paper" else float(curve["equity"].iloc[0])
    lines = charts.floor_lines(curve, view.plan["rules"]["limits"], begun, view.present, view.floors)
    place = "" if row.broker == "paper" else " at the broker"
    section(f"Equity{place} and its floors" if len(lines) else f"Equity{place} and drawdown", f"{row.currency}, UTC; the newest {len(curve):,} instants")
    takeaway = f"Equity of {row.name}: {money(row.equity, row.currency)}, started with {money(begun, row.currency)}"
    if len(lines):
        draw_chart(floors(curve, lines, row.currency), alt=takeaway)
    else:
        draw_chart(equity_pair(curve.assign(drawdown=curve["equity"] / curve["equity"].cummax() - 1.0), row.currency, height=170), alt=takeaway)


def _bars(desk: Desk, view: Any, digits: tables.Digits) -> None:
    if not len(view.bars):
        return
    names = list(view.bars["series"].unique())
    section("Bars as traded", "UTC")
    if recovered := int(view.bars["recovered"].astype(bool).sum()):
        st.markdown(f":small[:violet[{plural(recovered, 'bar')} recovered] after a break, among the newest {len(view.bars):,}; violet dots. {NOT_LATE[view.row.broker == 'paper']}]")
    chosen = st.segmented_control("Series", names, default=names[0], required=True, key=f"bars-{view.row.name}", label_visibility="collapsed") if len(names) > 1 else names[0]
    instrument = desk.data.instruments()[chosen.split(" ")[0]]
    shown = view.bars[view.bars["series"] == chosen].tail(BARS).reset_index(drop=True)
    if len(shown) > 1:
        draw_chart(charts.bars(shown, digits[instrument.name], instrument.quote), alt=f"The last {len(shown)} bars of {chosen}, closing at {shown['close'].iloc[-1]:g}")


def _downloads(desk: Desk, view: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption("All rows:", width="content")
        for what in DOWNLOADS:
            download(f"{what.capitalize()}, CSV", f"{view.row.name}_{what}.csv", "text/csv", partial(desk.paper.download, view.row.name, what), f"paper-{what}", "With tape and commands a backtest makes the same trades again." if what in ("tape", "commands") else "")
