"""The form of a new session: its name, what decides, its prices, and the rest folded away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.backtest import limit_fields, rule_fields
from app.backtest.form import bars_name, frames_for
from app.kit.rights import allowed
from app.kit.spool import content
from app.kit.text import literal
from app.kit.widgets import attempt, go, section
from app.paper.deciding import parameters, shown
from worker.desk import Desk, StartRequest

SOURCES = {"replay": "Stored bars (replay)", "oanda": "OANDA practice, live prices", "mt5": "MetaTrader 5 demo, live prices"}
BROKERS = {"paper": "Paper: filled here", "oanda": "OANDA practice account", "mt5": "MetaTrader 5 demo account"}
MODES = {"auto": "Automatic", "approve": "A person approves"}
SPEEDS = {0.0: "as fast as possible", 1.0: "1 × real time", 60.0: "60 × real time", 600.0: "600 × real time", 3_600.0: "3,600 × real time"}


def form(desk: Desk) -> None:
    section("New session", "every decision, order and command is on its tape and in the audit trail")
    datasets, key = desk.data.catalogue(), "paper-new"
    a, b, c, d = st.columns(4)
    name = a.text_input("Name", key=f"{key}-name", max_chars=40, placeholder="letters, digits, - and _")
    deciding = shown(desk, key, b, c)
    source = d.selectbox("Prices", list(SOURCES), index=0 if datasets else 1, key=f"{key}-source", format_func=SOURCES.__getitem__, help="Live hosts of real money are locked.")
    chosen, instruments = _priced(desk, key, source, datasets)
    frames = frames_for(desk, chosen) if chosen else desk.data.timeframes()
    wanted = instruments[1].multiselect("Timeframes", frames, frames[:1], key=f"{key}-frames-{'-'.join(dataset.id for dataset in chosen)}", help="Several of one instrument trade as one account.")
    lacks = desk.paper.feed_lacks(source) if source != "replay" else ""
    if lacks:
        st.warning(literal(lacks), icon=":material/warning:")
    profile = rule_fields.profile_box(desk, key, {})
    with st.form(f"{key}-{deciding.key}-{source}", border=False):
        params = parameters(desk, key, deciding, wanted[0] if wanted else "")
        rules, more = _folded(desk, key, source, chosen, profile)
        sent = st.form_submit_button("Start session", type="primary", icon=":material/play_arrow:", shortcut="Ctrl+Enter", **allowed(desk, "paper.start", disabled=bool(lacks), help=lacks or None))
    if sent:
        request = StartRequest(
            name, deciding.strategy, params, tuple(wanted), tuple(dataset.id for dataset in chosen), "" if source == "replay" else source, tuple(instruments[0]) if source != "replay" else (),
            rules=rules, model=deciding.model, signals=deciding.signals, scan=deciding.scan, **more,
        )  # fmt: skip
        if started := attempt(lambda: desk.paper.start(request)):
            go("paper", session=started)


def _priced(desk: Desk, key: str, source: str, datasets: list[Any]) -> tuple[list[Any], tuple[list[str], Any]]:
    """The chosen datasets, or instruments, and the place beside them."""
    e, f = st.columns([2, 2])
    if source == "replay":
        chosen = e.multiselect("Data", datasets, datasets[:1], key=f"{key}-bars", format_func=bars_name, help="One dataset per instrument.")
        return chosen, ([dataset.instrument for dataset in chosen], f)
    return [], (e.multiselect("Instruments", list(desk.data.instruments()), key=f"{key}-instruments"), f)


def _folded(desk: Desk, key: str, source: str, chosen: list[Any], profile: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rules, and the fields of the request that most sessions leave as they are."""
    before = rule_fields.rules_start(desk, {})
    with st.expander("Costs and risk", icon=":material/tune:"):
        rules = rule_fields.costs_fields(desk, key, chosen, before, profile=profile) | dict(limits=limit_fields.limits_fields(desk, key, before, True))
    a, b, c, d = st.columns(4)
    balance = a.number_input(f"Balance, {before['account']['currency']}", 1.0, 1e12, float(before["account"]["balance"]), 1_000.0, key=f"{key}-balance", format="%.0f")
    speed, start = _replay(key, chosen, b, c) if source == "replay" else (0.0, None)
    broker = "paper" if source == "replay" else b.selectbox("Orders go to", ["paper", source], key=f"{key}-broker", format_func=BROKERS.__getitem__, help="At a practice account its fills, costs and equity count.")
    mode = d.selectbox("Mode", list(MODES), key=f"{key}-mode", format_func=MODES.__getitem__, help="With approval a decision waits until the next bar ends; then it is expired.")
    with st.expander("More", icon=":material/more_horiz:"):
        e, f = st.columns(2)
        commands = e.file_uploader("Commands, CSV", type=["csv"], max_upload_size=1, key=f"{key}-commands", help="As commands.csv of a session: ts, who, command, arguments, reason. Each is worked after the last instant up to its ts.")
        with f:
            rule_set, phase = rule_fields.rule_set_box(desk, key, {}, "People are warned as the account comes near them.")
    given = dict(mode=mode, broker=broker, start=start, speed=speed, commands=content(commands) if commands else b"", rule_set=rule_set, phase=phase, cost_profile=profile)
    return rules | dict(account=dict(balance=balance)), given


def _replay(key: str, chosen: list[Any], a: Any, b: Any) -> tuple[float, datetime | None]:
    speed = a.selectbox("Speed", list(SPEEDS), key=f"{key}-speed", format_func=SPEEDS.__getitem__)
    first = min((dataset.first_ts for dataset in chosen), default=None)
    day = b.date_input("Trade from, UTC", None, key=f"{key}-from-{'-'.join(dataset.id for dataset in chosen)}", help="Earlier bars are history: seen, nothing decided. Empty: from the first bar.", min_value=first.date() if first else None)
    return speed, datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
