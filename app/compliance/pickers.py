"""What is judged and by which rule set: two pickers, kept in the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.rule_sets import phased
from app.kit.widgets import go
from worker.desk import Desk

FIRST = "ftmo-2-step"       # the rule set without a choice


@dataclass(frozen=True)
class Choice:
    """The chosen subject and rule set with its phase; None where there is none."""

    subject: Any
    rules: Any
    phase: str

    @property
    def address(self) -> dict[str, str]:
        """The address of this choice."""
        rules = {"rules": self.rules.name, "phase": self.phase} if self.rules else {}
        return {**(self.subject.address if self.subject else {}), **rules}


def choice_of(desk: Desk) -> Choice:
    """What the address names; a warning for what it names and is not there."""
    subject = None
    for kind, word in (("run", "run"), ("session", "session with an equity curve"), ("history", "imported account")):
        wanted = address_value(kind)
        if wanted and subject is None:
            subject = desk.compliance.subject(kind, wanted)
            if subject is None:
                missing(word, wanted, "Choose another above.")
    sets = desk.rule_sets.all()
    wanted = address_value("rules")
    rules = next((row for row in sets if row.name == wanted), None)
    if wanted and rules is None:
        missing("rule set", wanted, "Choose another above.")
    rules = rules or next((row for row in sets if row.name == FIRST), sets[0] if sets else None)
    phase = address_value("phase")
    if rules and phase not in rules.phases:
        if phase and wanted == rules.name:
            missing("phase", phase, "Choose another above.")
        phase = rules.phases[0]
    return Choice(subject, rules, phase)


def pickers(desk: Desk, choice: Choice) -> None:
    """The two pickers of the head. A choice submits the judgement: choosing is asking."""
    subjects = desk.compliance.subjects()
    if choice.subject and choice.subject.id not in {subject.id for subject in subjects}:
        subjects = [choice.subject, *subjects]
    at = next((k for k, subject in enumerate(subjects) if choice.subject and subject.id == choice.subject.id), None)
    subject = st.selectbox(
        "Judge", subjects, index=at, placeholder="Choose a run, session or account", key=f"judge-{choice.subject.id if choice.subject else ''}", label_visibility="collapsed",
        width=240, format_func=lambda subject: subject.title,
    )  # fmt: skip
    options = [(row, phase) for row in desk.rule_sets.all() for phase in row.phases]
    at = next((k for k, (row, phase) in enumerate(options) if choice.rules and (row.name, phase) == (choice.rules.name, choice.phase)), 0)
    picked = st.selectbox(
        "Rule set", options, index=at if options else None, key=f"rules-{choice.rules.name if choice.rules else ''}-{choice.phase}", label_visibility="collapsed", width=250,
        placeholder="No rule set", format_func=lambda option: phased(*option),
    )  # fmt: skip
    chosen = Choice(subject, *(picked or (None, "")))
    if chosen.address != choice.address:
        if chosen.subject and chosen.rules:
            desk.compliance.submit(chosen.subject, chosen.rules.name, chosen.phase)
            if choice.subject is None or chosen.subject.id != choice.subject.id:
                desk.compliance.submit_table(chosen.subject)
        go("compliance", **chosen.address)

