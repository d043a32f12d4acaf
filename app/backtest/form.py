"""The form of a backtest: strategy, data, date range, parameters, costs and risk, in one batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from app.kit.address import missing
from app.kit.figures import number, short, typeset
from app.kit.forms import fields
from app.kit.widgets import asked, go
from worker.desk import Desk, Question

SIZERS = {      # kind -> label, unit of its value over what is stored, what it starts from, its own parameters, help
    "fraction_at_risk": ("Risk per trade, % of equity", 100.0, 0.5, "", "Share of equity lost if the stop is hit."),
    "fixed_lots": ("Lots per trade", 1.0, 1.0, "", "The same number of lots for every trade."),
    "notional": ("Notional, % of equity", 100.0, 100.0, "", "Position notional as % of equity; 100 % is unlevered."),
    "kelly": ("Fraction of Kelly, %", 100.0, 25.0, "kelly_", "Fraction of the full-Kelly bet, estimated from recent closed trades."),
    "volatility": ("Volatility target, % p.a.", 100.0, 10.0, "volatility_", "Annualised volatility of equity that one position alone may cause."),
}
SIZING = {"fraction_at_risk": "Risk %", "fixed_lots": "Fixed lots", "notional": "% of equity", "kelly": "Fractional Kelly", "volatility": "Volatility target"}
ACCOUNTS = ("Portfolio (shared account)", "Separate accounts")
RULES = ("account", "costs", "execution", "sizing", "limits")
INTRABAR = {    # key -> label, definition
    "pessimistic": ("Stop first (pessimistic)", "Where a bar reaches both stop and target, the stop is hit first."),
    "optimistic": ("Target first (optimistic)", "Where a bar reaches both, the target is hit first."),
    "path": ("OHLC path", "Open, then the nearer extreme, then the farther, then close."),
    "magnify": ("Lower timeframe (bar magnifier)", "Use lower-timeframe bars where available, else stop first."),
}
INTRABAR_HELP = "\n\n".join(f"**{label}** {text}" for label, text in INTRABAR.values())
LIMITS_HELP = "Rules that reject or shrink an order, or halt the account: leverage, positions, daily loss, drawdown, spread spikes, no-trade windows."


def form(desk: Desk, run: Any = None) -> None:
    """Draw the form; ``run`` is a run to start from. Submitting opens the job, or the identical run."""
    datasets = desk.data.catalogue()
    if not datasets:
        st.caption("No data yet. Import a file on the Data page, or generate synthetic prices there.")
        if st.button("Import a file", type="primary"):
            go("data", do="import")
        return
    before = run.spec if run else {}
    strategies = desk.backtests.strategies()
    for name in unknown_data(datasets):
        missing("dataset", name, "Choose one below.")
    key = f"bt-{run.id if run else '-'.join(['new', *st.query_params.get_all('data')])}"
    a, b, c = st.columns([1, 2, 1])
    strategy = a.selectbox("Strategy", list(strategies), index=index_of(list(strategies), before.get("strategy")), key=f"{key}-strategy")
    chosen = b.multiselect("Data", datasets, bars_before(datasets, before), key=f"{key}-bars", format_func=bars_name, help="In a portfolio: one dataset per instrument; real and synthetic prices do not mix.")
    alone = len(chosen) > 1 and _alone(key)
    start = rules_start(desk, before)
    sizer = c.selectbox("Position sizing", list(SIZERS), index=index_of(list(SIZERS), start["sizing"]["kind"]), key=f"{key}-sizer", format_func=SIZING.__getitem__)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(typeset(strategies[strategy]), width="stretch")
        limited = st.toggle("Risk limits", is_limited(desk, start), key=f"{key}-limits", help=LIMITS_HELP)
    with st.form(f"{key}-{strategy}", border=False):
        question = _question(desk, f"{key}-{strategy}", strategy, chosen, before, start, sizer, limited)
        with st.container(horizontal=True, vertical_alignment="center"):
            sent = st.form_submit_button("Run backtest", type="primary", shortcut="Ctrl+Enter")
            st.caption(f"{number(desk.backtests.bars_in(question))} bars{f', {len(chosen)} backtests' if alone else ''}" if question else "Choose data and a date range first.")
    if sent and question:
        _submit_each(desk, question, chosen) if alone else _submit(desk, question)


def _alone(key: str) -> bool:
    """Several series: one portfolio, or separate accounts?"""
    chosen = st.segmented_control("Accounts", ACCOUNTS, default=ACCOUNTS[0], required=True, key=f"{key}-accounts", label_visibility="collapsed", help="Portfolio: all positions share equity, margin and limits. Separate accounts: one backtest per series, each with the whole balance, run in parallel.")
    return chosen == ACCOUNTS[1]


def _sound(desk: Desk, question: Question) -> bool:
    faults = desk.backtests.faults(question.strategy, question.params)
    for fault in faults.values():
        st.error(typeset(fault), icon=":material/error:")
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
        st.toast(f"Identical backtest found; showing its result, run {submitted.job.result['run']}.", icon=":material/info:")
        go("backtest", run=submitted.job.result["run"])
    go("backtest", job=submitted.job.id)


def _question(desk: Desk, key: str, strategy: str, chosen: list, before: dict, start: dict, sizer: str, limited: bool) -> Question | None:
    a, b, c, d = st.columns(4)
    frame, span = frame_and_span(desk, key, chosen, before, a, b)
    balance = c.number_input(f"Balance, {start['account']['currency']}", 1.0, 1e12, float(start["account"]["balance"]), 1_000.0, key=f"{key}-balance", format="%.0f")
    intrabar = intrabar_field(d, key, start)
    params = fields(desk.backtests.params(strategy), key, before.get("params") if before.get("strategy") == strategy else None)
    rules = costs_fields(desk, key, chosen, start, sizer)
    rules["limits"] = limits_fields(desk, key, start, limited)
    rules["account"] = {"balance": balance}
    rules["execution"] |= {"intrabar": intrabar}
    if not chosen or not isinstance(span, tuple) or len(span) != 2:
        return None
    return Question(strategy, params, [one.id for one in chosen], frame, *whole_days(*span), rules)


def intrabar_field(column: Any, key: str, start: dict) -> str:
    keys = list(INTRABAR)
    return column.selectbox("Intrabar fills", keys, index=index_of(keys, start["execution"]["intrabar"]), key=f"{key}-inside", format_func=lambda name: INTRABAR[name][0], help=INTRABAR_HELP)


def _size(column: Any, key: str, kind: str, start: dict) -> float:
    text, scale, first, _, about = SIZERS[kind]
    value = float(start["value"]) * scale if kind == start["kind"] else first
    return column.number_input(text, 0.001, 1e6, value, 0.1 if value < 20 else 1.0, key=f"{key}-size-{kind}", format="%g", help=about) / scale


def _own(desk: Desk, key: str, kind: str, start: dict) -> dict[str, Any]:
    """The parameters that are the chosen sizer's own."""
    mine = [one for one in desk.backtests.rule_params("sizing") if SIZERS[kind][3] and one.name.startswith(SIZERS[kind][3])]
    return fields(mine, key, start)


def is_limited(desk: Desk, start: dict) -> bool:
    return any(start["limits"].get(one.name) for one in desk.backtests.rule_params("limits") if not one.default)


def limits_fields(desk: Desk, key: str, start: dict, limited: bool) -> dict[str, Any]:
    """All off without limits, whatever config.toml says."""
    params = desk.backtests.rule_params("limits")
    return fields(params, f"{key}-limit", start["limits"], off=True) if limited else {one.name: one.default for one in params}


def costs_fields(desk: Desk, key: str, chosen: list, start: dict, sizer: str = "") -> dict[str, dict[str, Any]]:
    """Costs, sizing and the exit on an opposite signal; without ``sizer`` the one it starts from."""
    sizer = sizer or start["sizing"]["kind"]
    known = desk.data.instruments()
    used = [known[dataset.instrument] for dataset in chosen]
    pip = used[0].pip if used else 0.0001
    a, b, c, d = st.columns(4)
    before = start["costs"]["spread"]
    size = _size(a, key, sizer, start["sizing"])
    spread = b.number_input("Spread, pips", 0.0, 1_000.0, None if before is None else before / pip, 0.1, key=f"{key}-spread", placeholder=spread_used(chosen, used), help="For bars without a spread. Empty: the data's own spread where it has one, else the instrument's default.")
    slippage = c.number_input("Slippage, pips", 0.0, 1_000.0, start["costs"]["slippage"] / pip if start["own"] else start["slippage_pips"], 0.1, key=f"{key}-slip", format="%g", help="Adverse, at market and stop fills.")
    commission = d.number_input(f"Commission per lot per side, {start['account']['currency']}", 0.0, 1e6, float(start["costs"]["commission_per_lot"]), 0.5, key=f"{key}-commission", format="%g", help="Booked at each fill.")
    a, b, c = st.columns([1, 1, 2], vertical_alignment="bottom")
    long = a.number_input("Swap long (per lot per night)", -1e6, 1e6, start["costs"]["swap_long"], 0.1, key=f"{key}-swap-long", placeholder=own_value([one.swap_long for one in used], 2), help="Quote currency; negative is paid. Empty: the instrument's.")
    short_ = b.number_input("Swap short (per lot per night)", -1e6, 1e6, start["costs"]["swap_short"], 0.1, key=f"{key}-swap-short", placeholder=own_value([one.swap_short for one in used], 2), help="Quote currency; negative is paid. Empty: the instrument's.")
    costs = dict(slippage=slippage * pip, slippage_kind="fixed", commission_per_lot=commission, swap_long=long, swap_short=short_, spread=None if spread is None else spread * pip)
    reverse = c.toggle("Exit on opposite signal", start["execution"]["reverse_on_opposite"], key=f"{key}-reverse", help="A signal against the open position of its tag closes it at the next open.")
    sizing = dict(kind=sizer, value=size, **_own(desk, key, sizer, start["sizing"]))
    return dict(costs=costs, sizing=sizing, execution=dict(reverse_on_opposite=reverse))


def own_value(values: list[float], places: int) -> str:
    """The placeholder of an empty field: the number that applies then.

    >>> own_value([0.0], 2), own_value([1.3, 1.6], 1), own_value([], 1)
    ("0.00, the instrument's", "1.3 and 1.6, the instruments'", "the instrument's")
    """
    texts = list(dict.fromkeys(number(value, places) for value in values))
    if not texts:
        return "the instrument's"
    return f"{texts[0]}, the instrument's" if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}, the instruments'"


def spread_used(chosen: list, used: list) -> str:
    """The placeholder of the spread, pips: the data's median where the data has one, else the instrument's default."""
    texts = [f"{number((one.spread if dataset.spread is None else dataset.spread) / one.pip, 1)}{'' if dataset.spread is None else ', from data'}" for dataset, one in zip(chosen, used, strict=True)]
    if len(set(texts)) != 1 or (len(texts) != 1 and chosen[0].spread is None):
        return ", ".join(texts)[:40] or "the instrument's"
    return texts[0] if chosen[0].spread is not None else own_value([used[0].spread / used[0].pip], 1)


def rules_start(desk: Desk, before: dict) -> dict[str, Any]:
    """The values that the fields start with: the run's own rules, else the settings of the form."""
    if before:
        return desk.backtests.form_start() | {name: dict(before[name]) for name in RULES if name in before} | dict(own=True, slippage_pips=0.0)
    return desk.backtests.form_start() | dict(own=False)


def frame_and_span(desk: Desk, key: str, chosen: list, before: dict, a: Any, b: Any) -> tuple[str, Any]:
    """Timeframe and date range: on the data of the run to start from they are the run's; other data starts with its own."""
    run = before if {one.version for one in chosen} == set(before.get("datasets", ())) else {}
    own = f"{key}-{'-'.join(one.id for one in chosen)}"
    frames = frames_for(desk, chosen)
    frame = a.selectbox("Timeframe", frames, index=index_of(frames, run.get("timeframe")), key=f"{own}-frame", help="The data's own, or longer: finer bars are resampled.")
    return frame, b.date_input("Date range, UTC", span_of(chosen, run), key=f"{own}-span", help="First and last day, both inclusive.")


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
    """The data of the run before; else that of the address; else the latest import."""
    used = [dataset for dataset in datasets if dataset.version in before.get("datasets", [])]
    wanted = [dataset for dataset in datasets if {dataset.id, dataset.version} & set(st.query_params.get_all("data"))]
    own = sorted((dataset for dataset in datasets if not dataset.example), key=lambda dataset: dataset.created_at)
    return used or wanted or own[-1:] or datasets[:1]


def unknown_data(datasets: list) -> list[str]:
    """Datasets that the address names and that are not there."""
    known = {name for dataset in datasets for name in (dataset.id, dataset.version)}
    return [name for name in st.query_params.get_all("data") if name not in known]


def bars_name(one: Any) -> str:
    return f"{one.instrument} {one.timeframe} · {'synthetic' if one.synthetic else one.source} · {one.first_ts:%Y-%m-%d} to {one.last_ts:%Y-%m-%d} · {short(one.version)}"


def index_of(options: list, value: Any) -> int:
    return options.index(value) if value in options else 0
