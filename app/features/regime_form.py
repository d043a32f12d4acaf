"""The form of regimes: a model fitted walk-forward, or rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from app.features import request, runs
from app.kit.figures import plural, typeset
from app.kit.forms import fields
from app.kit.text import literal
from worker.desk import Desk

VIEW = "regimes"
MODEL, RULES = "Model (HMM or GMM)", "Rule-based"


def form(desk: Desk, run: Any) -> None:
    key, before = f"regimes-{run.id if run else 'new'}", dict(run.spec) if run else {}
    what = st.segmented_control("By", (MODEL, RULES), default=RULES if before.get("rules") else MODEL, required=True, key=f"{key}-what", label_visibility="collapsed")
    asked = request.ask(desk, f"{key}-{what}", before, with_columns=False)
    if what == MODEL:
        _model(desk, key, before, asked)
    else:
        _rules(desk, key, before, asked)


def _model(desk: Desk, key: str, before: dict[str, Any], asked: request.FormRequest) -> None:
    plan = fields(desk.regimes.plan(), f"{key}-plan", before.get("plan"))
    choices = desk.regimes.observed()
    start = before.get("observed") or desk.regimes.standard()
    observed = st.multiselect(
        "Input features", list(dict.fromkeys([*start, *choices])), start, key=f"{key}-observed", accept_new_options=True,
        help="\n\n".join(f"**{name}** {about}" for name, about in choices.items()) + "\n\nOr any feature by its syntax. The first should be a volatility: states are ordered by it.",
    )  # fmt: skip
    names = [one.instrument for ident in (asked.question.datasets if asked.question else ()) for one in desk.data.catalogue() if one.id == ident]
    if len(names) > 1:
        st.caption(f"Regimes of {names[0]}, the first of the data; {', '.join(names[1:])} {'is' if len(names) == 2 else 'are'} available to correlation_with_others and features of other markets.")
    wrong = desk.regimes.faults(plan, observed)
    for fault in wrong.values():
        st.caption(f":red[{literal(typeset(fault))}]")
    models = desk.regimes.refits(plan, asked.question) if asked.question and not wrong else 0
    short = asked.question is not None and not wrong and not models
    if short:
        st.caption(":red[The training window is as long as the data. Use fewer bars, or a longer date range.]")
    _send(asked, f"{asked.note} · {plural(models, 'model')}" if models else asked.note, bool(wrong) or short or not observed, "Fit regimes", lambda question: desk.regimes.submit(question, plan, observed))


def _rules(desk: Desk, key: str, before: dict[str, Any], asked: request.FormRequest) -> None:
    rules = desk.regimes.rules()
    had = [name for name in before.get("rules", []) if name in rules]
    chosen = st.pills("Rules", list(rules), selection_mode="multi", default=had or ["volatility_regime"], key=f"{key}-rules", format_func=lambda name: rules[name][0], help="With several, every combination is a regime.\n\n" + "\n\n".join(f"**{title}** {', '.join(names)}" for title, names in rules.values()))
    _send(asked, asked.note if chosen else "Choose a rule.", not chosen, "Label bars", lambda question: desk.regimes.submit_rules(question, list(chosen)))


def _send(asked: request.FormRequest, told: str, off: bool, word: str, submit: Callable[[Any], Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(word, type="primary", shortcut="Ctrl+Enter", disabled=off or not asked.ready)
        st.caption(told)
    if sent and asked.question is not None:
        runs.send(VIEW, partial(submit, asked.question))
