"""A question from what a person gives: names looked up, parameters checked, defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import BadRequest, unknown
from domain.models import LEARNERS
from domain.params import build, params_of, values_of
from domain.strategies.base import make
from domain.training.inputs import Inputs
from domain.training.lacking import others_of
from domain.training.pipeline import learner_for
from domain.training.question import Fitting, Question
from domain.training.splits import SCHEMES
from domain.training.targets import TARGETS, TargetParams

LAST_SEED = 2**31 - 1


def question_of(
    inputs: Sequence[Inputs], target: str, learner: str, *, target_params: Mapping[str, Any] = {}, params: Mapping[str, Any] = {}, scheme: str = "walk_forward", scheme_params: Mapping[str, Any] = {},
    strategy: str = "", strategy_params: Mapping[str, Any] = {}, options: Mapping[str, Any] = {}, seed: int = 0, shuffle_labels: bool = False, module: str = "",
) -> Question:  # fmt: skip
    """``options``: of ``Fitting``; they may stand among the learner's ``params`` too, whose names they never share. ``module``: SHA-256 of the person's own code.

    Raises UnknownName and BadRequest in a sentence.
    """
    if target not in TARGETS:
        raise unknown("target", target, TARGETS)
    if scheme not in SCHEMES:
        raise unknown("scheme", scheme, SCHEMES)
    if not 0 <= seed <= LAST_SEED:
        raise BadRequest(f"seed is {seed}; it must be between 0 and {LAST_SEED}")
    own, fitting = divided(learner, params)
    rows = any(part.trades is not None for part in inputs)
    _check_strategy(target, strategy, rows)
    return Question(
        data=tuple(_data(part, others_of(inputs)) for part in inputs), span=_span(inputs), target=target, target_params=values_of(build(TargetParams, target_params)),
        learner=learner, learner_params=values_of(learner_for(learner, own, target)), columns=tuple(use.column for use in inputs[0].uses),
        scheme=scheme, scheme_params=values_of(build(SCHEMES[scheme], scheme_params)), strategy=strategy, strategy_params=values_of(make(strategy, strategy_params)) if strategy else {},
        fitting=build(Fitting, {**options, **fitting}), rules=inputs[0].rules.values(), seed=seed, shuffle_labels=shuffle_labels, module=module,
    )  # fmt: skip


def divided(learner: str, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The learner's own parameters, and those of what is fitted around it.

    >>> divided("linear", {"share": 0.3})
    ({}, {'share': 0.3})
    """
    own = {p.name for p in params_of(LEARNERS[learner])}
    fitting = {p.name for p in params_of(Fitting)} - own
    return {name: value for name, value in params.items() if name not in fitting}, {name: value for name, value in params.items() if name in fitting}


def _check_strategy(target: str, strategy: str, trades: bool) -> None:
    """A target on signals needs some; one on bars has none."""
    if TARGETS[target].on == "signals" and not strategy and not trades:
        names = ", ".join(name for name, each in TARGETS.items() if each.on == "bars")
        raise BadRequest(f"the target {target} is of signals, and no strategy is given; name one, or choose a target on bars: {names}")
    if TARGETS[target].on == "bars" and (strategy or trades):
        names = ", ".join(name for name, each in TARGETS.items() if each.on == "signals")
        raise BadRequest(f"the target {target} is of bars, and signals are given; leave them out, or choose a target on signals: {names}")
    if strategy and trades:
        raise BadRequest("both a strategy and closed trades are given; give one of them")


def _data(part: Inputs, others: Sequence[str]) -> dict[str, Any]:
    """``others``: instruments beside those that are pooled."""
    series = part.series
    outside = {name: value for name, value in dict(outside=dict(series.outside), others=list(others), regimes=dict(part.regimes)).items() if value}
    return dict(instrument=series.instrument.name, timeframe=str(series.timeframe), side=series.side, version=series.version, bars=len(series.bars)) | outside


def _span(inputs: Sequence[Inputs]) -> tuple[str, str]:
    edges = [(part.series.bars["ts"].iloc[0], part.series.bars["ts"].iloc[-1]) for part in inputs]
    return min(first for first, _ in edges).isoformat(), max(last for _, last in edges).isoformat()
