"""The form of a backtest: strategy, data, date range, parameters, costs and risk, in one batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from app.backtest.before_run import costs_table, duration
from app.backtest.limit_fields import limits_fields
from app.backtest.preset_fields import cautions, preset_box
from app.backtest.rule_fields import (
    LIMITS_HELP,
    SIZERS,
    SIZING,
    costs_fields,
    is_limited,
    model_box,
    profile_box,
    rule_set_box,
    rules_start,
)
from app.backtest.saved_presets import chosen_preset, presets_box, save
from app.backtest.signals_box import ABOUT, SIGNALS, TITLE, counted, signals_box
from app.kit.address import missing
from app.kit.figures import short, typeset
from app.kit.forms import fields, index_of
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, go
from worker.desk import BacktestRequest, Desk

ACCOUNTS = ("Portfolio (shared account)", "Separate accounts")
INTRABAR = {    # key -> label, definition
    "pessimistic": ("Stop first (pessimistic)", "Where a bar reaches both stop and target, the stop is hit first."),
    "optimistic": ("Target first (optimistic)", "Where a bar reaches both, the target is hit first."),
    "path": ("OHLC path", "Open, then the nearer extreme, then the farther, then close."),
    "magnify": ("Lower timeframe (bar magnifier)", "Use lower-timeframe bars where available, else stop first."),
}
INTRABAR_HELP = "\n\n".join(f"**{label}** {text}" for label, text in INTRABAR.values())


def form(desk: Desk, run: Any = None) -> None:
    """Draw the form; ``run`` is a run to start from. Submitting opens the job, or the identical run."""
    datasets = desk.data.catalogue()
    if not datasets:
        st.caption("No data yet. Import a file on the Data page, or generate synthetic prices there.")
        if st.button("Import a file", type="primary"):
            go("data", do="import")
        return
    saved = None if run else chosen_preset(desk)
    before = run.spec if run else saved.settings if saved else {}
    strategies = desk.backtests.strategies() | {SIGNALS: ABOUT}
    for name in unknown_data(datasets):
        missing("dataset", name, "Choose one below.")
    if not run:
        presets_box(desk, saved)
    start_from = run.id if run else f"{saved.name} {saved.created_at:%Y%m%d%H%M%S%f}" if saved else "new"
    key = f"bt-{'-'.join([start_from, *st.query_params.get_all('data')])}" if not run else f"bt-{run.id}"
    a, b, c = st.columns([1, 2, 1])
    strategy = a.selectbox("Strategy", list(strategies), index=index_of(list(strategies), before.get("strategy")), key=f"{key}-strategy", format_func=lambda name: TITLE if name == SIGNALS else name)
    chosen = b.multiselect("Data", datasets, bars_before(datasets, before), key=f"{key}-bars", format_func=bars_name, help="In a portfolio: one dataset per instrument; real and synthetic prices do not mix.")
    alone = len(chosen) > 1 and _alone(key)
    start = rules_start(desk, before)
    sizer = c.selectbox("Position sizing", list(SIZERS), index=index_of(list(SIZERS), start["sizing"]["kind"]), key=f"{key}-sizer", format_func=SIZING.__getitem__)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(literal(typeset(strategies[strategy])), width="stretch")
        profile, model, preset = profile_box(desk, key, before), model_box(desk, key, strategy, before), preset_box(desk, key, strategy)
        limited = st.toggle("Risk limits", is_limited(desk, start) or bool(before.get("gate")), key=f"{key}-limits", help=LIMITS_HELP)
    signals = signals_box(desk, key, before) if strategy == SIGNALS else {}
    with st.form(f"{key}-{strategy}", border=False):
        request = _request(desk, f"{key}-{strategy}", strategy, chosen, before, start, sizer, limited, profile, model, preset, signals)
        counted(desk, request)
        cautions(desk, strategy, request, preset)
        costs_file = costs_table(desk, request)
        with st.container(horizontal=True, vertical_alignment="center"):
            sent = st.form_submit_button("Run backtest", type="primary", shortcut="Ctrl+Enter", **allowed(desk, "backtests.submit"))
            st.form_submit_button("Update costs", help="Show the costs of the values entered above.")
            keep = st.form_submit_button("Save as preset…", icon=":material/bookmark:", **allowed(desk, "form_presets.save"))
            st.caption(duration(desk, request, len(chosen) if alone else 1))
    costs_file()
    if keep and request and _sound(desk, request):
        save(desk, request)
    if sent and request:
        _submit_each(desk, request, chosen) if alone else _submit(desk, request)


def _alone(key: str) -> bool:
    """Whether several series are traded on separate accounts instead of one portfolio."""
    chosen = st.segmented_control("Accounts", ACCOUNTS, default=ACCOUNTS[0], required=True, key=f"{key}-accounts", label_visibility="collapsed", help="Portfolio: all positions share equity, margin and limits. Separate accounts: one backtest per series, each with the whole balance, run in parallel.")
    return chosen == ACCOUNTS[1]


def _sound(desk: Desk, request: BacktestRequest) -> bool:
    faults = desk.backtests.faults(request.strategy, request.params)
    for fault in faults.values():
        st.error(literal(typeset(fault)), icon=":material/error:")
    return not faults


def _submit_each(desk: Desk, request: BacktestRequest, chosen: list) -> None:
    requests = [replace(request, datasets=[dataset.id]) for dataset in chosen]
    batch = attempt(lambda: desk.batches.submit(requests)) if _sound(desk, request) else None
    if batch is not None:
        go("backtest", batch=batch.id)


def _submit(desk: Desk, request: BacktestRequest) -> None:
    submitted = attempt(lambda: desk.backtests.submit(request)) if _sound(desk, request) else None
    if submitted is None:
        return
    if not submitted.new and submitted.job.state == "done":
        st.toast(f"Identical backtest found; showing its result, run {submitted.job.result['run']}.", icon=":material/info:")
        go("backtest", run=submitted.job.result["run"])
    go("backtest", job=submitted.job.id)


def _request(desk: Desk, key: str, strategy: str, chosen: list, before: dict, start: dict, sizer: str, limited: bool, profile: str, model: Any, preset: Any, signals: dict) -> BacktestRequest | None:
    a, b, c, d = st.columns(4)
    frame, span = frame_and_span(desk, key, chosen, before, a, b)
    balance = c.number_input(f"Balance, {start['account']['currency']}", 1.0, 1e12, float(start["account"]["balance"]), 1_000.0, key=f"{key}-balance", format="%.0f")
    intrabar = intrabar_field(d, key, start)
    own = before.get("params") if before.get("strategy") == strategy else None
    first = desk.models.params_with(model, strategy, frame) if model else preset.params if preset else own
    params = fields(desk.backtests.params(strategy), f"{key}{f'-{model.title}' if model else ''}{f'-{preset.name}' if preset else ''}", first)
    rules = costs_fields(desk, key, chosen, start, sizer, profile)
    rules["limits"] = limits_fields(desk, key, start, limited)
    rule_set, phase = rule_set_box(desk, key, before) if limited else ("", "")
    rules["account"] = {"balance": balance}
    rules["execution"] |= {"intrabar": intrabar}
    if not chosen or not isinstance(span, tuple) or len(span) != 2:
        return None
    return BacktestRequest(strategy, params, [dataset.id for dataset in chosen], frame, *whole_days(*span), rules, profile, model.title if model else "", signals, rule_set, phase)


def intrabar_field(column: Any, key: str, start: dict) -> str:
    keys = list(INTRABAR)
    return column.selectbox("Intrabar fills", keys, index=index_of(keys, start["execution"]["intrabar"]), key=f"{key}-inside", format_func=lambda name: INTRABAR[name][0], help=INTRABAR_HELP)


def frame_and_span(desk: Desk, key: str, chosen: list, before: dict, a: Any, b: Any) -> tuple[str, Any]:
    """Timeframe and date range: those of the run to start from where its data is chosen, else those of the data."""
    run = before if {dataset.version for dataset in chosen} == set(before.get("datasets", ())) else {}
    own = f"{key}-{'-'.join(dataset.id for dataset in chosen)}"
    frames = frames_for(desk, chosen)
    of_preset = before.get("timeframe") if "datasets" not in before else None
    frame = a.selectbox("Timeframe", frames, index=index_of(frames, run.get("timeframe") or of_preset), key=f"{own}-frame", help="The data's own, or longer: finer bars are resampled.")
    return frame, b.date_input("Date range, UTC", span_of(chosen, run), key=f"{own}-span", help="First and last day, both inclusive.")


def frames_for(desk: Desk, chosen: list) -> list[str]:
    every = desk.data.timeframes()
    return every[max((every.index(dataset.timeframe) for dataset in chosen), default=0) :]


def span_of(chosen: list, before: dict) -> tuple[date, date]:
    if before:
        start, end = (datetime.fromisoformat(before[edge]) for edge in ("start", "end"))
        return start.date(), (end - timedelta(microseconds=1)).date()
    if not chosen:
        today = datetime.now(UTC).date()
        return today - timedelta(days=365), today
    return max(dataset.first_ts for dataset in chosen).date(), min(dataset.last_ts for dataset in chosen).date()


def whole_days(first: date, last: date) -> tuple[datetime, datetime]:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return start, datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)


def bars_before(datasets: list, before: dict) -> list:
    """The data of the run to start from, else that of the address, else the latest import."""
    used = [dataset for dataset in datasets if dataset.version in before.get("datasets", [])]
    wanted = [dataset for dataset in datasets if {dataset.id, dataset.version} & set(st.query_params.get_all("data"))]
    own = sorted((dataset for dataset in datasets if not dataset.example), key=lambda dataset: dataset.created_at)
    return used or wanted or own[-1:] or datasets[:1]


def unknown_data(datasets: list) -> list[str]:
    """Datasets in the address that do not exist."""
    names = {name for dataset in datasets for name in (dataset.id, dataset.version)}
    return [name for name in st.query_params.get_all("data") if name not in names]


def bars_name(dataset: Any) -> str:
    return f"{dataset.instrument} {dataset.timeframe} · {'synthetic' if dataset.synthetic else dataset.source} · {dataset.first_ts:%Y-%m-%d} to {dataset.last_ts:%Y-%m-%d} · {short(dataset.version)}"
