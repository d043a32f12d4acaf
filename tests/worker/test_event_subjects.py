"""Every kind of event that the program writes belongs to a subject, by which the Audit page filters and counts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from worker.desk.events import SUBJECTS, subject_of
from worker.settings import ROOT


def written() -> Iterator[str]:
    """The kinds that stand in calls of ``audit``; of one made of parts its first."""
    for file in (ROOT / "worker").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if ".audit(" in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "audit" and len(node.args) > 1:
                    yield from texts(node.args[1])


def texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from (*texts(node.body), *texts(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        yield from texts(node.values[0])


def test_every_kind_that_is_written_has_a_subject():
    kinds = {kind for kind in written() if kind[:1].isalpha()}
    assert len(kinds) > 60 and not {kind for kind in kinds if kind.split("_")[0] not in SUBJECTS}


@pytest.mark.parametrize("kind, subject", [("trade_closed", "order"), ("trading_halted", "session"), ("signed_in", "user"), ("model_refused", "run"), ("job_failed", "job"), ("process_lost", "system")])
def test_an_event_stands_under_what_it_is_about(kind, subject):
    assert subject_of(kind) == subject
