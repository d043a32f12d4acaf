"""The form of a new session: name, strategy, stored bars or a live feed, timeframes, mode, speed, costs and risk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.backtest import rule_fields
from app.backtest.form import bars_name, frames_for
from app.kit.forms import fields
from app.kit.widgets import attempt, go, section
from worker.desk import Desk, StartRequest

SOURCES = {"replay": "Stored bars (replay)", "oanda": "OANDA practice, live prices", "mt5": "MetaTrader 5 demo, live prices"}
BROKERS = {"paper": "Paper: filled here", "oanda": "OANDA practice account", "mt5": "MetaTrader 5 demo account"}
MODES = {"auto": "Automatic", "approve": "A person approves"}
SPEEDS = {0.0: "as fast as possible", 1.0: "1 × real time", 60.0: "60 × real time", 600.0: "600 × real time", 3_600.0: "3,600 × real time"}


def form(desk: Desk) -> None:
    section("New session", "every decision, order and command is on its tape and in the audit trail")
    datasets = desk.data.catalogue()
    key = "paper-new"
    a, b, c, d = st.columns(4)
    name = a.text_input("Name", key=f"{key}-name", max_chars=40, placeholder="letters, digits, - and _")
    strategy = b.selectbox("Strategy", list(desk.backtests.strategies()), key=f"{key}-strategy")
    source = c.selectbox("Prices", list(SOURCES), index=0 if datasets else 1, key=f"{key}-source", format_func=SOURCES.__getitem__, help="Live hosts of real money are locked.")
    mode = d.selectbox("Mode", list(MODES), key=f"{key}-mode", format_func=MODES.__getitem__, help="With approval a decision waits until the next bar ends; then it is expired.")
    chosen: list[Any] = []
    e, f = st.columns([2, 2])
    if source == "replay":
        chosen = e.multiselect("Data", datasets, datasets[:1], key=f"{key}-bars", format_func=bars_name, help="One dataset per instrument.")
        instruments = [dataset.instrument for dataset in chosen]
    else:
        instruments = e.multiselect("Instruments", list(desk.data.instruments()), key=f"{key}-instruments")
    brokers = ["paper"] if source == "replay" else ["paper", source]
    frames = frames_for(desk, chosen) if chosen else desk.data.timeframes()
    wanted = f.multiselect("Timeframes", frames, frames[:1], key=f"{key}-frames-{'-'.join(dataset.id for dataset in chosen)}", help="Several of one instrument trade as one account.")
    with st.form(f"{key}-{strategy}-{source}", border=False):
        speed, start = _replay(key, chosen) if source == "replay" else (0.0, None)
        params = fields(desk.backtests.params(strategy), f"{key}-{strategy}")
        before = rule_fields.rules_start(desk, {})
        with st.expander("Costs and risk", icon=":material/tune:"):
            rules = rule_fields.costs_fields(desk, key, chosen, before) | dict(limits=rule_fields.limits_fields(desk, key, before, True))
        a, b, c, _ = st.columns(4)
        balance = a.number_input(f"Balance, {before['account']['currency']}", 1.0, 1e12, float(before["account"]["balance"]), 1_000.0, key=f"{key}-balance", format="%.0f")
        titles = {"": "none"} | {row.name: row.title for row in desk.rule_sets.all()}
        rule_set = b.selectbox("Rule set to watch", list(titles), key=f"{key}-rule-set", format_func=titles.__getitem__, help="People are warned as the account comes near its floors; it refuses no order.")
        broker = c.selectbox("Orders go to", brokers, key=f"{key}-broker", format_func=BROKERS.__getitem__, help="At a practice account its fills, costs and equity count.") if len(brokers) > 1 else "paper"
        sent = st.form_submit_button("Start session", type="primary", icon=":material/play_arrow:", shortcut="Ctrl+Enter")
    if sent:
        request = StartRequest(
            name, strategy, params, tuple(wanted), tuple(dataset.id for dataset in chosen), "" if source == "replay" else source, tuple(instruments) if source != "replay" else (),
            mode=mode, rules=rules | dict(account=dict(balance=balance)), start=start, speed=speed, rule_set=rule_set, broker=broker,
        )  # fmt: skip
        if started := attempt(lambda: desk.paper.start(request)):
            go("paper", session=started)


def _replay(key: str, chosen: list[Any]) -> tuple[float, datetime | None]:
    a, b, _ = st.columns([1, 1, 2])
    speed = a.selectbox("Speed", list(SPEEDS), key=f"{key}-speed", format_func=SPEEDS.__getitem__)
    first = min((dataset.first_ts for dataset in chosen), default=None)
    day = b.date_input("Trade from, UTC", None, key=f"{key}-from-{'-'.join(dataset.id for dataset in chosen)}", help="Earlier bars are history: seen, nothing decided. Empty: from the first bar.", min_value=first.date() if first else None)
    return speed, datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
