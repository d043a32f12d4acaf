"""The form of a scan: instruments, timeframes, strategies, risk, what a proposal must reach, and what is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest import limit_fields, rule_fields
from app.backtest.form import bars_name, whole_days
from app.kit.figures import plural
from app.kit.forms import fields
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, go
from worker.desk import Desk
from worker.desk.scanner import Choice, ScanRequest

HELD = {"instrument": "Instrument", "side": "Side", "lots": "Lots", "entry": "Entry price"}
SIDES = {"long": 1, "short": -1}


def form(desk: Desk, run: Any = None) -> None:
    """Draw the form; ``run`` is a scan to start from. Submitting opens the job, or the identical scan."""
    st.fragment(_form)(desk, run)


def _form(desk: Desk, run: Any) -> None:
    before = dict(run.spec) if run else {}
    key = f"scan-{run.id if run else 'new'}"
    datasets, choices = desk.data.catalogue(), desk.scanner.choices()
    newest = {dataset.id for dataset in desk.scanner.newest_datasets()}
    a, b = st.columns([3, 2])
    first = [dataset for dataset in datasets if (dataset.version in before["datasets"] if before else dataset.id in newest)]
    chosen = a.multiselect("Data", datasets, first, key=f"{key}-bars", format_func=bars_name, help="One dataset per instrument; real and synthetic prices do not mix.")
    timeframes = desk.scanner.timeframes([dataset.id for dataset in chosen])
    own = before.get("timeframes") or sorted({dataset.timeframe for dataset in chosen})
    wanted = b.multiselect("Timeframes", timeframes, [name for name in own if name in timeframes], key=f"{key}-frames-{'-'.join(dataset.id for dataset in chosen)}", help="Longer ones than the bars' are built from them.")
    labels = {choice.shown: choice for choice in choices} | {each["label"]: Choice(each["name"], each["params"], each["label"]) for each in before.get("strategies", ())}
    scanned = st.multiselect("Strategies", list(labels), [each["label"] for each in before.get("strategies", ())] or list(labels), key=f"{key}-strategies", help="With their default parameters; those of the library as they were saved.")
    rules, criteria, open_ = st.tabs(["Costs and risk", "What a proposal must reach", "Open positions"], key=f"{key}-tabs")
    with rules:
        changed, profile, equity, span = _rules(desk, key, chosen, before)
    with criteria:
        reach = fields(desk.scanner.params(), f"{key}-criteria", before.get("criteria"))
    with open_:
        positions = _positions(key, [dataset.instrument for dataset in chosen], before)
    request = ScanRequest([labels[name] for name in scanned], [dataset.id for dataset in chosen], wanted, *span, changed, profile, reach, positions, equity)
    _send(desk, request)


def _rules(desk: Desk, key: str, chosen: list[Any], before: Mapping[str, Any]) -> tuple[dict[str, Any], str, float | None, tuple[datetime | None, datetime | None]]:
    start = rule_fields.rules_start(desk, dict(before))
    a, b, c, d = st.columns(4, vertical_alignment="bottom")
    kinds = list(rule_fields.SIZERS)
    sizer = a.selectbox("Position sizing", kinds, index=kinds.index(start["sizing"]["kind"]) if start["sizing"]["kind"] in kinds else 0, key=f"{key}-sizer", format_func=lambda kind: rule_fields.SIZING.get(kind, kind))
    equity = b.number_input(f"Equity now, {start['account']['currency']}", 1.0, 1e12, float(before.get("equity") or start["account"]["balance"]), 1_000.0, key=f"{key}-equity", format="%.0f", help="The size of a proposal and its expected shortfall are measured on it; the backtests start with it too.")
    limited = c.toggle("Risk limits", rule_fields.is_limited(desk, start), key=f"{key}-limits", help=rule_fields.LIMITS_HELP)
    days = d.date_input("Date range, UTC", _span(chosen, before), key=f"{key}-span-{'-'.join(dataset.id for dataset in chosen)}", help="First and last day, both inclusive. The last closed bar in it decides.")
    profile = rule_fields.profile_box(desk, key, dict(before))
    rules = rule_fields.costs_fields(desk, key, chosen, start, sizer, profile) | dict(limits=limit_fields.limits_fields(desk, key, start, limited), account=dict(balance=equity))
    span = whole_days(*days) if isinstance(days, tuple) and len(days) == 2 else (None, None)
    return rules, profile, equity, span


def _span(chosen: list[Any], before: Mapping[str, Any]) -> tuple[Any, Any]:
    if before:
        return datetime.fromisoformat(before["start"]).date(), (datetime.fromisoformat(before["end"]) - timedelta(microseconds=1)).date()
    if not chosen:
        return ()       # type: ignore[return-value]
    return min(dataset.first_ts for dataset in chosen).date(), max(dataset.last_ts for dataset in chosen).date()


def _positions(key: str, instruments: list[str], before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that are filled in."""
    words = {side: word for word, side in SIDES.items()}
    rows = [(held["instrument"], words[held["side"]], held["lots"], held["entry"]) for held in before.get("positions", ())]
    st.caption("A proposal may not be correlated with what is open, and what is open counts for the limits. Leave the table empty where nothing is open.")
    columns = dict(
        instrument=st.column_config.SelectboxColumn("Instrument", options=instruments, required=True), side=st.column_config.SelectboxColumn("Side", options=list(SIDES), required=True),
        lots=st.column_config.NumberColumn("Lots", min_value=0.0, format="%g", required=True), entry=st.column_config.NumberColumn("Entry price", format="%g", required=True),
    )  # fmt: skip
    empty = pd.DataFrame({"instrument": pd.Series(dtype=str), "side": pd.Series(dtype=str), "lots": pd.Series(dtype=float), "entry": pd.Series(dtype=float)})
    frame = pd.DataFrame(rows, columns=list(HELD)) if rows else empty
    entered = st.data_editor(frame, num_rows="dynamic", hide_index=True, key=f"{key}-held", column_config=columns)
    return [dict(instrument=row["instrument"], side=SIDES[row["side"]], lots=row["lots"], entry=row["entry"]) for row in entered.dropna().to_dict("records")]


def _send(desk: Desk, request: ScanRequest) -> None:
    count = desk.scanner.combinations(request) if request.datasets and request.timeframes else 0
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Run scan", type="primary", icon=":material/radar:", shortcut="Ctrl+Enter", **allowed(desk, "scanner.submit", disabled=not count))
        st.caption(literal(f"{plural(count, 'combination')}, each a backtest of its own" if count else "Choose data, timeframes and strategies."))
    if not sent:
        return
    submitted = attempt(lambda: desk.scanner.submit(request))
    if submitted is None:
        return
    if not submitted.new and submitted.job.state == "done":
        st.toast("Identical scan found; showing its result.", icon=":material/info:")
        go("scanner", run=submitted.job.result["run"])
    go("scanner", job=submitted.job.id)
