"""The form of a backtest: strategy, bars, span, parameters, costs and risk, in one batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from app.figures import number, short
from app.forms import fields
from app.text import literal
from app.widgets import asked, go
from worker.desk import Desk, Question

SIZERS = {      # kind -> label, unit of its value over what is stored, what it starts from, its own parameters, help
    "fraction_at_risk": ("Risk per trade, % of equity", 100.0, 0.5, "", "The share of equity lost if the stop is hit."),
    "fixed_lots": ("Lots per trade", 1.0, 1.0, "", "The same for every trade."),
    "notional": ("Notional, % of equity", 100.0, 100.0, "", "The share of equity put in; 100 is all of it, without leverage."),
    "kelly": ("Share of Kelly, %", 100.0, 25.0, "kelly_", "How much of the bet that Kelly's formula gives from the last closed trades is at risk."),
    "volatility": ("Volatility, % a year", 100.0, 10.0, "volatility_", "The yearly volatility of equity that one position alone may have."),
}
ACCOUNTS = ("One account", "Each on its own")
RULES = ("account", "costs", "execution", "sizing", "limits")
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
    a, b, c = st.columns([1, 2, 1])
    strategy = a.selectbox("Strategy", list(strategies), index=index_of(list(strategies), before.get("strategy")), key=f"{key}-strategy")
    chosen = b.multiselect("Bars", datasets, bars_before(datasets, before), key=f"{key}-bars", format_func=bars_name, help="On one account: one dataset per instrument, and real and synthetic bars do not mix.")
    alone = len(chosen) > 1 and _alone(key)
    start = rules_start(desk, before)
    sizer = c.selectbox("Size by", list(SIZERS), index=index_of(list(SIZERS), start["sizing"]["kind"]), key=f"{key}-sizer", format_func=lambda word: word.replace("_", " "))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(strategies[strategy], width="stretch")
        limited = st.toggle("Limits", is_limited(desk, start), key=f"{key}-limits", help="What may forbid an order, shrink it, or halt the account: leverage, positions, daily loss, drawdown, spread spikes, hours without entries.")
    with st.form(f"{key}-{strategy}", border=False):
        question = _question(desk, f"{key}-{strategy}", strategy, chosen, before, start, sizer, limited)
        with st.container(horizontal=True, vertical_alignment="center"):
            sent = st.form_submit_button("Run backtest", type="primary", shortcut="Ctrl+Enter")
            st.caption(f"{number(desk.backtests.bars_in(question))} bars{f', {len(chosen)} backtests' if alone else ''}" if question else "choose bars first")
    if sent and question:
        _submit_each(desk, question, chosen) if alone else _submit(desk, question)


def _alone(key: str) -> bool:
    """Several series: on one account, or each on its own?"""
    chosen = st.segmented_control("Accounts", ACCOUNTS, default=ACCOUNTS[0], required=True, key=f"{key}-accounts", label_visibility="collapsed", help="One account: all positions share its equity, margin and limits. Each on its own: one backtest a series, each with the whole balance, done side by side.")
    return chosen == ACCOUNTS[1]


def _sound(desk: Desk, question: Question) -> bool:
    faults = desk.backtests.faults(question.strategy, question.params)
    for fault in faults.values():
        st.error(literal(fault), icon=":material/error:")
    return not faults


def _submit_each(desk: Desk, question: Question, chosen: list) -> None:
    """Spread and slippage were entered in pips: each series gets them in its own."""
    instruments = desk.data.instruments()
    pips = [instruments[one.instrument].pip for one in chosen]
    costs = question.rules["costs"]
    of_own = [{name: None if costs[name] is None else costs[name] * pip / pips[0] for name in ("slippage", "spread")} for pip in pips]
    questions = [replace(question, datasets=[one.id], rules={**question.rules, "costs": {**costs, **own}}) for one, own in zip(chosen, of_own, strict=True)]
    batch = asked(lambda: desk.batches.submit(questions)) if _sound(desk, question) else None
    if batch is not None:
        go("backtest", batch=batch.id)


def _submit(desk: Desk, question: Question) -> None:
    submitted = asked(lambda: desk.backtests.submit(question)) if _sound(desk, question) else None
    if submitted is None:
        return
    if not submitted.new and submitted.job.state == "done":
        st.toast(f"Exactly this was asked before: run {submitted.job.result['run']}.", icon=":material/info:")
        go("backtest", run=submitted.job.result["run"])
    go("backtest", job=submitted.job.id)


def _question(desk: Desk, key: str, strategy: str, chosen: list, before: dict, start: dict, sizer: str, limited: bool) -> Question | None:
    a, b, c, d = st.columns(4)
    frame, span = frame_and_span(desk, key, chosen, before, a, b)
    balance = c.number_input(f"Balance, {start['account']['currency']}", 1.0, 1e12, float(start["account"]["balance"]), 1_000.0, key=f"{key}-balance", format="%.0f")
    inside = d.selectbox("Inside a bar", list(INSIDE), index=index_of(list(INSIDE), start["execution"]["intrabar"]), key=f"{key}-inside", help="\n\n".join(f"**{name}** {text}" for name, text in INSIDE.items()))
    params = fields(desk.backtests.params(strategy), key, before.get("params") if before.get("strategy") == strategy else None)
    rules = costs_fields(desk, key, chosen, start, sizer)
    rules["limits"] = limits_fields(desk, key, start, limited)
    rules["account"] = {"balance": balance}
    rules["execution"] |= {"intrabar": inside}
    if not chosen or not isinstance(span, tuple) or len(span) != 2:
        return None
    return Question(strategy, params, [one.id for one in chosen], frame, *whole_days(*span), rules)


def _size(column: Any, key: str, kind: str, start: dict) -> float:
    text, scale, first, _, told = SIZERS[kind]
    value = float(start["value"]) * scale if kind == start["kind"] else first
    return column.number_input(text, 0.001, 1e6, value, 0.1 if value < 20 else 1.0, key=f"{key}-size-{kind}", format="%g", help=told) / scale


def _own(desk: Desk, key: str, kind: str, start: dict) -> dict[str, Any]:
    """The parameters that are the chosen sizer's own."""
    mine = [one for one in desk.backtests.rule_params("sizing") if SIZERS[kind][3] and one.name.startswith(SIZERS[kind][3])]
    return fields(mine, key, start)


def is_limited(desk: Desk, start: dict) -> bool:
    return any(start["limits"].get(one.name) for one in desk.backtests.rule_params("limits") if not one.default)


def limits_fields(desk: Desk, key: str, start: dict, limited: bool) -> dict[str, Any]:
    """Everything off where no limits are wanted, whatever config.toml says."""
    params = desk.backtests.rule_params("limits")
    return fields(params, f"{key}-limit", start["limits"], off=True) if limited else {one.name: one.default for one in params}


def costs_fields(desk: Desk, key: str, chosen: list, start: dict, sizer: str = "") -> dict[str, dict[str, Any]]:
    """Costs, sizing and what an opposite signal does; without ``sizer`` the one it starts from."""
    sizer = sizer or start["sizing"]["kind"]
    pip = desk.data.instruments()[chosen[0].instrument].pip if chosen else 0.0001
    a, b, c, d = st.columns(4)
    known = start["costs"]["spread"]
    size = _size(a, key, sizer, start["sizing"])
    spread = b.number_input("Spread, pips", 0.0, 1_000.0, None if known is None else known / pip, 0.1, key=f"{key}-spread", placeholder="of the bars", help="For bars that carry none. Empty: each instrument's own default.")
    slippage = c.number_input("Slippage, pips", 0.0, 1_000.0, start["costs"]["slippage"] / pip if start["own"] else start["slippage_pips"], 0.1, key=f"{key}-slip", format="%g", help="Always against you, at market and stop fills.")
    commission = d.number_input("Commission per lot and side", 0.0, 1e6, float(start["costs"]["commission_per_lot"]), 0.5, key=f"{key}-commission", format="%g", help="In account currency, at each fill.")
    a, b, c = st.columns([1, 1, 2], vertical_alignment="bottom")
    long = a.number_input("Swap, long", -1e6, 1e6, start["costs"]["swap_long"], 0.1, key=f"{key}-swap-long", placeholder="instrument's", help="Quote currency per lot and night; negative is paid. Empty: the instrument's, which is 0 until you set it.")
    short_ = b.number_input("Swap, short", -1e6, 1e6, start["costs"]["swap_short"], 0.1, key=f"{key}-swap-short", placeholder="instrument's", help="As for long.")
    costs = dict(slippage=slippage * pip, slippage_kind="fixed", commission_per_lot=commission, swap_long=long, swap_short=short_, spread=None if spread is None else spread * pip)
    reverse = c.toggle("Close on an opposite signal", start["execution"]["reverse_on_opposite"], key=f"{key}-reverse", help="A signal against the open position of its tag closes it at the next open.")
    sizing = dict(kind=sizer, value=size, **_own(desk, key, sizer, start["sizing"]))
    return dict(costs=costs, sizing=sizing, execution=dict(reverse_on_opposite=reverse))


def rules_start(desk: Desk, before: dict) -> dict[str, Any]:
    """Where the fields start: the run's own rules, else the form's settings."""
    if before:
        return desk.backtests.form_start() | {name: dict(before[name]) for name in RULES if name in before} | dict(own=True, slippage_pips=0.0)
    return desk.backtests.form_start() | dict(own=False)


def frame_and_span(desk: Desk, key: str, chosen: list, before: dict, a: Any, b: Any) -> tuple[str, Any]:
    """Timeframe and days: on the bars of the run to start from they are the run's; other bars start with their own."""
    run = before if {one.version for one in chosen} == set(before.get("datasets", ())) else {}
    own = f"{key}-{'-'.join(one.id for one in chosen)}"
    frames = frames_for(desk, chosen)
    frame = a.selectbox("Timeframe", frames, index=index_of(frames, run.get("timeframe")), key=f"{own}-frame", help="The datasets' own, or longer: finer bars are joined.")
    return frame, b.date_input("Span, UTC", span_of(chosen, run), key=f"{own}-span", help="From the first to the last day, both whole.")


def frames_for(desk: Desk, chosen: list) -> list[str]:
    every = desk.data.timeframes()
    return every[max((every.index(one.timeframe) for one in chosen), default=0) :]


def span_of(chosen: list, before: dict) -> tuple[date, date]:
    if before:
        start, end = (datetime.fromisoformat(before[edge]) for edge in ("start", "end"))
        return start.date(), (end - timedelta(days=1)).date()
    if not chosen:
        today = datetime.now(UTC).date()
        return today - timedelta(days=365), today
    return max(one.first_ts for one in chosen).date(), min(one.last_ts for one in chosen).date()


def whole_days(first: date, last: date) -> tuple[datetime, datetime]:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return start, datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)


def bars_before(datasets: list, before: dict) -> list:
    """What the run before used; else one's own bars that came in last."""
    used = [one for one in datasets if one.version in before.get("datasets", [])]
    own = sorted((one for one in datasets if not one.example), key=lambda one: one.created_at)
    return used or own[-1:] or datasets[:1]


def bars_name(one: Any) -> str:
    return f"{one.instrument} {one.timeframe} · {'synthetic' if one.synthetic else one.source} · {one.first_ts:%Y-%m-%d} to {one.last_ts:%Y-%m-%d} · {short(one.version)}"


def index_of(options: list, value: Any) -> int:
    return options.index(value) if value in options else 0
