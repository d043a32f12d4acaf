"""What is asked of regimes: a model that is fitted walking forward, or rules."""

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
MODEL, RULES = "A model", "Rules"


def form(desk: Desk, run: Any) -> None:
    key, before = f"regimes-{run.id if run else 'new'}", dict(run.spec) if run else {}
    what = st.segmented_control("By", (MODEL, RULES), default=RULES if before.get("rules") else MODEL, required=True, key=f"{key}-what", label_visibility="collapsed")
    asked = request.ask(desk, f"{key}-{what}", before, with_columns=False)
    if what == MODEL:
        _model(desk, key, before, asked)
    else:
        _rules(desk, key, before, asked)


def _model(desk: Desk, key: str, before: dict[str, Any], asked: request.Asked) -> None:
    plan = fields(desk.regimes.plan(), f"{key}-plan", before.get("plan"))
    choices = desk.regimes.observed()
    start = before.get("observed") or desk.regimes.standard()
    observed = st.multiselect(
        "Looks at", list(dict.fromkeys([*start, *choices])), start, key=f"{key}-observed", accept_new_options=True,
        help="\n\n".join(f"**{name}** {about}" for name, about in choices.items()) + "\n\nOr any feature as it is written. The first should be volatility: states stand in its order.",
    )  # fmt: skip
    names = [one.instrument for ident in (asked.question.datasets if asked.question else ()) for one in desk.data.catalogue() if one.id == ident]
    if len(names) > 1:
        st.caption(f"Regimes of {names[0]}, the first of the bars; {', '.join(names[1:])} {'is' if len(names) == 2 else 'are'} known beside it, for correlation_with_others and features of other markets.")
    wrong = desk.regimes.faults(plan, observed)
    for fault in wrong.values():
        st.caption(f":red[{literal(typeset(fault))}]")
    models = desk.regimes.refits(plan, asked.question) if asked.question and not wrong else 0
    short = asked.question is not None and not wrong and not models
    if short:
        st.caption(":red[The first window is as long as the bars are. Train on fewer, or choose a longer span.]")
    _send(asked, f"{asked.told} · {plural(models, 'model')}" if models else asked.told, bool(wrong) or short or not observed, "Find regimes", lambda question: desk.regimes.submit(question, plan, observed))


def _rules(desk: Desk, key: str, before: dict[str, Any], asked: request.Asked) -> None:
    rules = desk.regimes.rules()
    had = [name for name in before.get("rules", []) if name in rules]
    chosen = st.pills("Rules", list(rules), selection_mode="multi", default=had or ["volatility_regime"], key=f"{key}-rules", format_func=lambda name: rules[name][0], help="Of several, every pairing is a regime of its own.\n\n" + "\n\n".join(f"**{title}** {', '.join(names)}" for title, names in rules.values()))
    _send(asked, asked.told if chosen else "choose a rule", not chosen, "Label bars", lambda question: desk.regimes.submit_rules(question, list(chosen)))


def _send(asked: request.Asked, told: str, off: bool, word: str, submit: Callable[[Any], Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(word, type="primary", shortcut="Ctrl+Enter", disabled=off or not asked.ready)
        st.caption(told)
    if sent and asked.question is not None:
        runs.send(VIEW, partial(submit, asked.question))
