"""The rule set whose floors orders keep clear of, as rules hold it: by its text, so that a run or session can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.compliance.floors import floors_of
from domain.trading.gate import Gate
from worker.desk.context import DeskContext
from worker.desk.rule_sets import RuleSetsView


def gate_of(context: DeskContext, name: str, phase: str, balance: float, currency: str) -> dict[str, Any]:
    """A preset, or the newest version of a saved rule set, once its floors fit the account."""
    return gate_with(RuleSetsView(context).spec(name, phase), balance, currency)


def gate_with(given: Mapping[str, Any], balance: float, currency: str) -> dict[str, Any]:
    """``given``: a rule set with its ``text``, ``name`` and ``phase``."""
    gate = Gate(str(given["text"]), str(given["name"]), str(given["phase"]))
    floors_of(gate, balance, currency)
    return dict(rule_set=gate.rule_set, name=gate.name, phase=gate.phase)
