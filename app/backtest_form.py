"""The form of a backtest: strategy, bars, span, parameters, costs and risk, in one batch."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from app.figures import number, short
from app.forms import fields
from app.widgets import asked, go
from worker.desk import Desk, Question

SIZERS = {"fraction_at_risk": "Risk per trade, % of equity", "fixed_lots": "Lots per trade", "notional": "Notional, % of equity"}
INSIDE = {
    "pessimistic": "Where a bar reaches stop and target, the stop came first.",
    "optimistic": "The targets came first.",
    "path": "Open, then the nearer extreme, then the farther, then close.",
    "magnify": "Look into finer bars where the dataset has them, else pessimistic.",
}


def form(desk: Desk, run: Any = None) -> None:
    """Draw the form; ``run`` is a run to start from. Submitting opens the job, or the run that answered the same question before."""
    datasets = desk.data.catalogue()
    if not datasets:
        st.caption("There are no bars yet. Import a file on the Data page, or make synthetic bars there.")
        if st.button("Import a file", type="primary"):
            go("data", do="import")
        return
    before = run.spec if run else {}
    strategies = desk.backtests.strategies()
    key = f"bt-{run.id if run else 'new'}"
    a, b = st.columns([1, 3])
    strategy = a.selectbox("Strategy", list(strategies), index=_index(list(strategies), before.get("strategy")), key=f"{key}-strategy")
    chosen = b.multiselect("Bars", datasets, _before(datasets, before), key=f"{key}-bars", format_func=_name, help="One dataset per instrument. Real and synthetic bars do not mix.")
    st.caption(strategies[strategy])
    with st.form(f"{key}-{strategy}", border=False):
        question = _question(desk, f"{key}-{strategy}", strategy, chosen, before)
        with st.container(horizontal=True, vertical_alignment="center"):
            sent = st.form_submit_button("Run backtest", type="primary", shortcut="Ctrl+Enter")
            st.caption(f"{number(desk.backtests.bars_in(question))} bars" if question else "choose bars first")
    if sent and question:
        _submit(desk, question)


def _submit(desk: Desk, question: Question) -> None:
    faults = desk.backtests.faults(question.strategy, question.params)
    for fault in faults.values():
        st.error(fault, icon=":material/error:")
    submitted = None if faults else asked(lambda: desk.backtests.submit(question))
    if submitted is None:
        return
    if not submitted.new and submitted.job.state == "done":
        st.toast(f"Exactly this was asked before: run {submitted.job.result['run']}.", icon=":material/info:")
        go("backtest", run=submitted.job.result["run"])
    go("backtest", job=submitted.job.id)


def _question(desk: Desk, key: str, strategy: str, chosen: list, before: dict) -> Question | None:
    a, b, c, d = st.columns(4)
    frames = _frames(desk, chosen)
    frame = a.selectbox("Timeframe", frames, index=_index(frames, before.get("timeframe")), key=f"{key}-frame", help="The datasets' own, or longer: finer bars are joined.")
    first, last = _span(chosen, before)
    span = b.date_input("Span, UTC", (first, last), key=f"{key}-span", help="From the first to the last day, both whole.")
    start_rules = _rules(desk, before)
    balance = c.number_input(f"Balance, {start_rules['account']['currency']}", 1.0, 1e12, float(start_rules["account"]["balance"]), 1_000.0, key=f"{key}-balance", format="%.0f")
    inside = d.selectbox("Inside a bar", list(INSIDE), index=_index(list(INSIDE), start_rules["execution"]["intrabar"]), key=f"{key}-inside", help="\n\n".join(f"**{name}** {text}" for name, text in INSIDE.items()))
    params = fields(desk.backtests.params(strategy), key, before.get("params") if before.get("strategy") == strategy else None)
    rules = _costs(desk, key, chosen, start_rules)
    rules["account"] = {"balance": balance}
    rules["execution"] = {"intrabar": inside}
    if not chosen or not isinstance(span, tuple) or len(span) != 2:
        return None
    start, end = _whole_days(*span)
    return Question(strategy, params, [one.id for one in chosen], frame, start, end, rules)


def _costs(desk: Desk, key: str, chosen: list, start: dict) -> dict[str, dict[str, Any]]:
    pip = desk.data.instruments()[chosen[0].instrument].pip if chosen else 0.0001
    a, b, c, d = st.columns(4)
    kind = a.selectbox("Size by", list(SIZERS), index=_index(list(SIZERS), start["sizing"]["kind"]), key=f"{key}-sizer", format_func=lambda word: word.replace("_", " "))
    scale = 1.0 if start["sizing"]["kind"] == "fixed_lots" else 100.0
    size = b.number_input("Size: % of equity, or lots", 0.001, 1_000.0, float(start["sizing"]["value"]) * scale, 0.1, key=f"{key}-size", format="%g", help="By risk: the share of equity lost if the stop is hit. By notional: the share put in. Fixed: lots.")
    spread = c.number_input("Spread, pips", 0.0, 1_000.0, None, 0.1, key=f"{key}-spread", placeholder="of the bars", help="For bars that carry none. Empty: each instrument's own default.")
    slippage = d.number_input("Slippage, pips", 0.0, 1_000.0, start["costs"]["slippage"] / pip if start["own"] else start["slippage_pips"], 0.1, key=f"{key}-slip", format="%g", help="Always against you, at market and stop fills.")
    a, b, c, d = st.columns(4)
    commission = a.number_input("Commission per lot and side", 0.0, 1e6, float(start["costs"]["commission_per_lot"]), 0.5, key=f"{key}-commission", format="%g", help="In account currency, at each fill.")
    long = b.number_input("Swap, long", -1e6, 1e6, None, 0.1, key=f"{key}-swap-long", placeholder="instrument's", help="Quote currency per lot and night; negative is paid. Empty: the instrument's, which is 0 until you set it.")
    short_ = c.number_input("Swap, short", -1e6, 1e6, None, 0.1, key=f"{key}-swap-short", placeholder="instrument's", help="As for long.")
    reverse = d.toggle("Close on an opposite signal", start["execution"]["reverse_on_opposite"], key=f"{key}-reverse", help="A signal against the open position of its tag closes it at the next open.")
    costs = dict(slippage=slippage * pip, slippage_kind="fixed", commission_per_lot=commission, swap_long=long, swap_short=short_, spread=None if spread is None else spread * pip)
    return dict(costs=costs, sizing=dict(kind=kind, value=size / (1.0 if kind == "fixed_lots" else 100.0)), execution=dict(reverse_on_opposite=reverse))


def _rules(desk: Desk, before: dict) -> dict[str, Any]:
    """Where the fields start: the run's own rules, else the form's settings."""
    if before:
        return {name: dict(before[name]) for name in ("account", "costs", "execution", "sizing")} | dict(own=True, slippage_pips=0.0)
    return desk.backtests.form_start() | dict(own=False)


def _frames(desk: Desk, chosen: list) -> list[str]:
    every = desk.data.timeframes()
    return every[max((every.index(one.timeframe) for one in chosen), default=0) :]


def _span(chosen: list, before: dict) -> tuple[date, date]:
    if before:
        start, end = (datetime.fromisoformat(before[edge]) for edge in ("start", "end"))
        return start.date(), (end - timedelta(days=1)).date()
    if not chosen:
        today = datetime.now(UTC).date()
        return today - timedelta(days=365), today
    return max(one.first_ts for one in chosen).date(), min(one.last_ts for one in chosen).date()


def _whole_days(first: date, last: date) -> tuple[datetime, datetime]:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return start, datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)


def _before(datasets: list, before: dict) -> list:
    used = [one for one in datasets if one.version in before.get("datasets", [])]
    return used or [one for one in datasets if not one.example][:1] or datasets[:1]


def _name(one: Any) -> str:
    return f"{one.instrument} {one.timeframe} · {'synthetic' if one.synthetic else one.source} · {one.first_ts:%Y-%m-%d} to {one.last_ts:%Y-%m-%d} · {short(one.version)}"


def _index(options: list, value: Any) -> int:
    return options.index(value) if value in options else 0
