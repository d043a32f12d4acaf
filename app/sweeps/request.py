"""On what and by which rules: strategy, bars, span, costs and risk, started as the form of the Backtest page starts them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.backtest import form as backtest
from worker.desk import Desk, Question

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def bars(desk: Desk, key: str, before: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The strategy, and the datasets."""
    datasets, strategies = desk.data.catalogue(), list(desk.backtests.strategies())
    a, b = st.columns([1, 3])
    strategy = a.selectbox("Strategy", strategies, index=backtest.index_of(strategies, before.get("strategy")), key=f"{key}-strategy")
    chosen = b.multiselect("Bars", datasets, backtest.bars_before(datasets, dict(before)), key=f"{key}-bars", format_func=backtest.bars_name, help="One dataset per instrument. Real and synthetic bars do not mix.")
    return strategy, chosen


def span(desk: Desk, key: str, strategy: str, chosen: list[Any], before: Mapping[str, Any]) -> Question:
    """The question without parameters; without datasets too while the span is not whole."""
    a, b, c, d = st.columns(4)
    start = backtest.rules_start(desk, dict(before))
    frame, days = backtest.frame_and_span(desk, key, chosen, dict(before), a, b)
    balance = c.number_input(f"Balance, {start['account']['currency']}", 1.0, 1e12, float(start["account"]["balance"]), 1_000.0, key=f"{key}-balance", format="%.0f")
    inside = d.selectbox("Inside a bar", list(backtest.INSIDE), index=backtest.index_of(list(backtest.INSIDE), start["execution"]["intrabar"]), key=f"{key}-inside", help="\n\n".join(f"**{name}** {text}" for name, text in backtest.INSIDE.items()))
    whole = isinstance(days, tuple) and len(days) == 2
    first, last = backtest.whole_days(*days) if whole else (NEVER, NEVER)
    return Question(strategy, {}, [one.id for one in chosen] if whole else [], frame, first, last, dict(account=dict(balance=balance), execution=dict(intrabar=inside)))


def costs(desk: Desk, key: str, chosen: list[Any], before: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], str]:
    """Costs, size and limits, and the name of the cost profile where one is chosen."""
    start = backtest.rules_start(desk, dict(before))
    a, _, c = st.columns([1, 2, 1], vertical_alignment="bottom")
    sizer = a.selectbox("Size by", list(backtest.SIZERS), index=backtest.index_of(list(backtest.SIZERS), start["sizing"]["kind"]), key=f"{key}-sizer", format_func=lambda word: word.replace("_", " "))
    limited = c.toggle("Limits", backtest.is_limited(desk, start), key=f"{key}-limits", help="What may forbid an order, shrink it, or halt the account.")
    profile = backtest.profile_box(desk, key, dict(before))
    return backtest.costs_fields(desk, key, chosen, start, sizer, profile) | dict(limits=backtest.limits_fields(desk, key, start, limited)), profile


def merged(question: Question, rules: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {**rules.get(name, {}), **question.rules.get(name, {})} for name in {*question.rules, *rules}}
