"""Policies as a file: what was compared, and the fitted ones, which ``policy_from`` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domain.errors import BadRequest, listed, unknown
from domain.params import build, values_of
from domain.training.actions import ActionGrid
from domain.training.plain_values import plain_values
from domain.training.policy import POLICIES
from domain.training.targets import TARGETS

if TYPE_CHECKING:
    from domain.training.policy_run import Judged
    from domain.training.question import Question

FILE = "policies.json"


def policy_facts(judged: Judged, grid: ActionGrid, question: Question) -> dict[str, Any]:
    """``policies`` (rows of the comparison), ``fitted``, ``grid``, ``actions`` (their names, by number) and ``question``."""
    return plain_values(dict(policies=judged.table.to_dict("records"), fitted=judged.fitted, grid=values_of(grid), actions=[action.name for action in grid.actions()], question=question.values()))


def written(facts: Mapping[str, Any]) -> bytes:
    return (json.dumps(plain_values(dict(facts)), indent=1, ensure_ascii=False) + "\n").encode()


def refuse_target(target: str) -> None:
    """Raises UnknownName or BadRequest where a target gives no chance of a win."""
    if target not in TARGETS:
        raise unknown("target", target, TARGETS)
    if TARGETS[target].on != "signals" or TARGETS[target].task == "number":
        able = [name for name, each in TARGETS.items() if each.on == "signals" and each.task != "number"]
        raise BadRequest(f"policies need the chance of a win, and the target {target} gives none; use {listed(able)}")


def chosen_policies(names: str, given: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Name -> parameters, each checked; ``given``: parameters by policy.

    >>> chosen_policies("heuristic", {})
    {'heuristic': {}}
    """
    chosen = {name.strip(): given.get(name.strip(), {}) for name in names.split(",") if name.strip()}
    for name in [*chosen, *given]:
        if name not in chosen:
            raise BadRequest(f"the parameters name {name}, and the policies are {listed(chosen)}; give the parameters of those")
        if not isinstance(chosen[name], Mapping):
            raise BadRequest(f"the parameters of {name} are {chosen[name]!r}; write {{\"{name}\": {{\"depth\": 3}}}}")
        build(POLICIES[name], chosen[name])
    if not chosen:
        raise BadRequest(f"no policy is named; choose among {listed(POLICIES)}")
    return chosen
