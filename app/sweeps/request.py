"""Strategy, data, date range, costs and risk, with the defaults of the Backtest form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.backtest import form as backtest
from app.backtest import rule_fields as rules
from app.backtest.limit_fields import limits_fields
from app.kit.forms import index_of
from worker.desk import BacktestRequest, Desk

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def bars(desk: Desk, key: str, before: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The strategy, and the datasets."""
    datasets, strategies = desk.data.catalogue(), list(desk.backtests.strategies())
    a, b = st.columns([1, 3])
    strategy = a.selectbox("Strategy", strategies, index=index_of(strategies, before.get("strategy")), key=f"{key}-strategy")
    chosen = b.multiselect("Data", datasets, backtest.bars_before(datasets, dict(before)), key=f"{key}-bars", format_func=backtest.bars_name, help="One dataset per instrument; real and synthetic prices do not mix.")
    return strategy, chosen


def span(desk: Desk, key: str, strategy: str, chosen: list[Any], before: Mapping[str, Any]) -> BacktestRequest:
    """The request without parameters; without datasets, too, while the date range is incomplete."""
    a, b, c, d = st.columns(4)
    start = rules.rules_start(desk, dict(before))
    frame, days = backtest.frame_and_span(desk, key, chosen, dict(before), a, b)
    balance = c.number_input(f"Balance, {start['account']['currency']}", 1.0, 1e12, float(start["account"]["balance"]), 1_000.0, key=f"{key}-balance", format="%.0f")
    intrabar = backtest.intrabar_field(d, key, start)
    complete = isinstance(days, tuple) and len(days) == 2
    first, last = backtest.whole_days(*days) if complete else (NEVER, NEVER)
    return BacktestRequest(strategy, {}, [dataset.id for dataset in chosen] if complete else [], frame, first, last, dict(account=dict(balance=balance), execution=dict(intrabar=intrabar)))


def costs(desk: Desk, key: str, chosen: list[Any], before: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], str]:
    """Costs, size and limits, and the name of the cost profile where one is chosen."""
    start = rules.rules_start(desk, dict(before))
    a, _, c = st.columns([1, 2, 1], vertical_alignment="bottom")
    sizer = a.selectbox("Position sizing", list(rules.SIZERS), index=index_of(list(rules.SIZERS), start["sizing"]["kind"]), key=f"{key}-sizer", format_func=rules.SIZING.__getitem__)
    limited = c.toggle("Risk limits", rules.is_limited(desk, start), key=f"{key}-limits", help=rules.LIMITS_HELP)
    profile = rules.profile_box(desk, key, dict(before))
    return rules.costs_fields(desk, key, chosen, start, sizer, profile) | dict(limits=limits_fields(desk, key, start, limited)), profile


def merged(backtest_request: BacktestRequest, changed: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {**changed.get(name, {}), **backtest_request.rules.get(name, {})} for name in {*backtest_request.rules, *changed}}
