"""What production asks of a model: conditions that a machine can check, and evidence that a person may answer for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.store import Model

ENOUGH = 0.95           # of the deflated Sharpe ratio


@dataclass(frozen=True)
class Gate:
    """One condition of production. ``hard``: no reason stands in for it. ``sentence``: what was found."""

    name: str
    passed: bool
    hard: bool
    sentence: str


def gates_of(model: Model) -> list[Gate]:
    """In the order in which they are shown. Whatever the report does not say counts as not passed."""
    question, report = model.manifest.get("question", {}), model.scores
    control, parity = report.get("control") or {}, report.get("parity") or {}
    return [
        _counted(model),
        _walk_forward(question, report.get("verdict") or {}),
        Gate("look-ahead", bool(model.manifest.get("gate")), True, "No look-ahead: neither a column nor the pipeline uses later bars." if model.manifest.get("gate") else "Look-ahead was not checked."),
        Gate("control", control.get("state") == "green", True, _sentence(control, "The control was not made.")),
        Gate("parity", bool(parity.get("passed")), True, _sentence(parity, "ONNX and the model itself were not compared.")),
        _baselines(report.get("baselines") or ()),
        _deflated(report.get("trials") or {}),
    ]


def _counted(model: Model) -> Gate:
    counted = bool(model.manifest.get("counted") and model.run_id)
    return Gate("counted", counted, True, "Its trials are in the ledger." if counted else "It was trained on files (--bars), so nobody counted its trials; train it on stored data (--data).")


def _walk_forward(question: Mapping[str, Any], verdict: Mapping[str, Any]) -> Gate:
    if question.get("shuffle_labels"):
        return Gate("walk-forward", False, True, "Its labels were permuted.")
    if not verdict.get("complete", verdict.get("whole")):       # the name of models of earlier releases
        return Gate("walk-forward", False, True, "Its walk-forward is incomplete: not every fold was fitted.")
    complete = question.get("scheme") == "walk_forward"
    return Gate("walk-forward", complete, True, "A complete walk-forward stands behind it." if complete else f"It was judged by {question.get('scheme', 'nothing')}, and only a complete walk-forward says what it would have earned.")


def _baselines(rows: Sequence[Mapping[str, Any]]) -> Gate:
    """Every baseline is beaten, with 95 %."""
    left = [str(row["name"]) for row in rows if row.get("state") != "better"]
    if not rows:
        return Gate("baselines", False, False, "It was compared with no baseline.")
    return Gate("baselines", not left, False, f"It does not beat {', '.join(dict.fromkeys(left))}." if left else f"It beats {', '.join(dict.fromkeys(str(row['name']) for row in rows))}.")


def _deflated(trials: Mapping[str, Any]) -> Gate:
    dsr, count = trials.get("dsr"), trials.get("count")
    if dsr is None:
        return Gate("significance", False, False, f"It has no deflated Sharpe ratio. {trials.get('reason', '')}".strip())
    return Gate("significance", float(dsr) >= ENOUGH, False, f"Its deflated Sharpe ratio is {float(dsr):.2f} after {count:,} trial{'' if count == 1 else 's'}; {ENOUGH} is required.")


def _sentence(outcome: Mapping[str, Any], otherwise: str) -> str:
    return str(outcome.get("sentence") or otherwise)
