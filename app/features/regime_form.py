"""The form of regimes: a model fitted walk-forward, or rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from app.features import request, runs
from app.kit.figures import plural, typeset
from app.kit.forms import fields
from app.kit.rights import allowed
from app.kit.text import literal
from worker.desk import Desk

VIEW = "regimes"
MODEL, RULES = "Model (HMM or GMM)", "Rule-based"


def form(desk: Desk, run: Any) -> None:
    key, before = f"regimes-{run.id if run else 'new'}", dict(run.spec) if run else {}
    what = st.segmented_control("By", (MODEL, RULES), default=RULES if before.get("rules") else MODEL, required=True, key=f"{key}-what", label_visibility="collapsed")
    entered = request.ask(desk, f"{key}-{what}", before, with_columns=False)
    if what == MODEL:
        _model(desk, key, before, entered)
    else:
        _rules(desk, key, before, entered)


def _model(desk: Desk, key: str, before: dict[str, Any], form_request: request.FormRequest) -> None:
    plan = fields(desk.regimes.plan(), f"{key}-plan", before.get("plan"))
    choices = desk.regimes.observed()
    start = before.get("observed") or desk.regimes.standard()
    observed = st.multiselect(
        "Input features", list(dict.fromkeys([*start, *choices])), start, key=f"{key}-observed", accept_new_options=True,
        help="\n\n".join(f"**{name}** {about}" for name, about in choices.items()) + "\n\nOr any feature by its syntax. The first should be a volatility: states are ordered by it.",
    )  # fmt: skip
    names = [dataset.instrument for ident in (form_request.request.datasets if form_request.request else ()) for dataset in desk.data.catalogue() if dataset.id == ident]
    if len(names) > 1:
        st.caption(f"Regimes of {names[0]}, the first of the data; {', '.join(names[1:])} {'is' if len(names) == 2 else 'are'} available to correlation_with_others and features of other markets.")
    faults = desk.regimes.faults(plan, observed)
    for fault in faults.values():
        st.markdown(f":small[:red[{literal(typeset(fault))}]]")
    models = desk.regimes.refits(plan, form_request.request) if form_request.request and not faults else 0
    short = form_request.request is not None and not faults and not models
    if short:
        st.markdown(":small[:red[The training window is as long as the data. Use fewer bars, or a longer date range.]]")
    _send(desk, form_request, f"{form_request.note} · {plural(models, 'model')}" if models else form_request.note, bool(faults) or short or not observed, "Fit regimes", lambda feature_request: desk.regimes.submit(feature_request, plan, observed))


def _rules(desk: Desk, key: str, before: dict[str, Any], form_request: request.FormRequest) -> None:
    rules = desk.regimes.rules()
    previous = [name for name in before.get("rules", []) if name in rules]
    chosen = st.pills("Rules", list(rules), selection_mode="multi", default=previous or ["volatility_regime"], key=f"{key}-rules", format_func=lambda name: rules[name][0], help="With several, every combination is a regime.\n\n" + "\n\n".join(f"**{title}** {', '.join(names)}" for title, names in rules.values()))
    _send(desk, form_request, form_request.note if chosen else "Choose a rule.", not chosen, "Label bars", lambda feature_request: desk.regimes.submit_rules(feature_request, list(chosen)))


def _send(desk: Desk, form_request: request.FormRequest, note: str, off: bool, word: str, submit: Callable[[Any], Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(word, type="primary", shortcut="Ctrl+Enter", **allowed(desk, "regimes.submit", disabled=off or not form_request.ready))
        st.caption(note)
    if sent and form_request.request is not None:
        runs.send(VIEW, partial(submit, form_request.request))
