"""Compliance: a path judged by a rule set; rule sets, imported accounts, risk."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from app.compliance import breaches, days, presets, verdict
from app.compliance.accounts import accounts
from app.compliance.chance import will_it_pass
from app.compliance.editor import editor
from app.compliance.news import news
from app.compliance.pickers import Choice, choice_of, pickers
from app.compliance.record_fields import record_fields
from app.compliance.risk import monitor
from app.compliance.showing import job_of
from app.kit.address import address_value, missing
from app.kit.page import Page
from app.kit.widgets import go, head, nothing

PAGE = Page("Compliance", "Evidence", 20, "rule")
VIEWS = {
    "verdict": ("Verdict", None), "risk": ("Risk monitor", monitor), "rules": ("Rules", editor), "accounts": ("Imported accounts", lambda desk, choice: accounts(desk)),
    "fields": ("Record fields", record_fields),
}  # fmt: skip


def render(desk) -> None:
    choice, wanted = choice_of(desk), address_value("view") or "verdict"
    head("Compliance", "", lambda: actions(desk, choice, wanted))
    switch(choice, wanted)
    if wanted not in VIEWS:
        missing("view", wanted, "Choose one above.")
    _, view = VIEWS.get(wanted, VIEWS["verdict"])
    if view is not None:
        view(desk, choice)
    elif choice.rules is None:
        nothing("No rule set", "Save a rule set first.", lambda: edit(choice, "primary"))
    elif choice.subject is None:
        nothing("Nothing to judge yet", "Choose a run above, or run a backtest. Any equity path can be judged by any rule set.", start)
    else:
        judgement(desk, choice)


def judgement(desk, choice: Choice) -> None:
    """The verdict of the chosen subject, and the same path by every rule set."""
    job = desk.compliance.job(choice.subject, choice.rules.name, choice.phase)
    judged = desk.compliance.judged(choice.subject, choice.rules.name, choice.phase)
    running = job_of(desk, "judge", job)
    if judged is None or running:
        if not running:
            nothing("Not judged yet", f"{choice.subject.title} has not been judged by this rule set. A year of M5 bars takes a second.", lambda: ask(desk, choice))
        return presets.would_it_have_passed(desk, choice.subject)
    verdict.verdict(desk, judged)
    if judged.stale:
        ask(desk, choice, "Judge again")
    left, right = st.columns([3, 4], gap="medium")
    with left:
        verdict.headroom(judged)
    with right:
        verdict.floors(desk, judged)
    left, right = st.columns([8, 5], gap="medium")
    with left:
        days.days(desk, judged)
        presets.would_it_have_passed(desk, choice.subject)
    with right:
        will_it_pass(desk, choice)
        breaches.breaches(desk, judged)
        news(desk, choice)


def ask(desk, choice: Choice, label: str = "Judge") -> None:
    if st.button(label, type="primary", icon=":material/gavel:"):
        desk.compliance.submit(choice.subject, choice.rules.name, choice.phase)
        st.rerun()


def start() -> None:
    if st.button("New backtest", type="primary", icon=":material/candlestick_chart:"):
        go("backtest")
    if st.button("Import an account…", icon=":material/upload:"):
        go("compliance", view="accounts")


def switch(choice: Choice, view: str) -> None:
    """Draw the control that switches between the views."""
    shown = view if view in VIEWS else "verdict"
    chosen = st.segmented_control("View", list(VIEWS), default=shown, required=True, key=f"compliance-{shown}", format_func=lambda name: VIEWS[name][0], label_visibility="collapsed")
    if chosen != shown:
        go("compliance", **choice.address, **({} if chosen == "verdict" else {"view": str(chosen)}))


def actions(desk, choice: Choice, view: str) -> None:
    pickers(desk, choice)
    if view != "rules":
        edit(choice)


def edit(choice: Choice, kind: Literal["primary", "secondary"] = "secondary") -> None:
    if st.button("Edit rules", icon=":material/edit:", type=kind, key=f"edit-{kind}"):
        go("compliance", **choice.address, view="rules")
