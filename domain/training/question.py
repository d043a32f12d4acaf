"""What a training run is given, as plain values: the same question on the same code has the same answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from domain.audit.record import canonical, plain
from domain.params import build, param, values_of
from domain.strategies.base import Strategy, make


@dataclass(frozen=True)
class Fitting:
    """What is fitted around the learner, inside each fold."""

    weights: str = param("uniqueness", choices=("uniqueness", "equal"), title="Sample weights", help="samples whose spans overlap count less, or all count the same")
    half_life: float = param(0.0, low=0.0, high=100_000.0, unit="days", help="age at which a sample counts half; 0: age does not matter")
    conformal: str = param("adaptive", choices=("adaptive", "split", "none"), title="Conformal margin", help="how intervals between quantiles are widened to their nominal coverage")
    gamma: float = param(0.005, low=0.0, high=0.5, title="Adaptation rate γ", help="how fast the adaptive margin follows misses (Gibbs & Candès 2021)")
    filter: str = param("expected", choices=("expected", "share"), title="Filter", help="take a signal where its expected R is above 0, or the best share of them")
    share: float = param(0.5, low=0.01, high=1.0, title="Best share", help="share of the signals that is taken, the best by score; for filter = share")
    size: str = param("one", choices=("one", "meta"), title="Size of a taken signal", help="one: as the sizing says; meta: (p − p0)/(1 − p0) of it")


@dataclass(frozen=True)
class Question:
    """``data``: for each instrument ``instrument``, ``timeframe``, ``side``, ``version`` and ``bars``, ``outside`` data beside them, and how ``regimes`` were made that are columns, too. ``span``: first and last bar,
    ISO. ``columns``: features as written. ``strategy``: name, or "" where signals are the person's own or samples are bars. ``rules``: every parameter of
    costs and execution by section. ``module``: SHA-256 of a person's own code. Parameters are complete, defaults included: ``asking.question_of`` makes them so."""

    data: tuple[Mapping[str, Any], ...]
    span: tuple[str, str]
    target: str
    target_params: Mapping[str, Any]
    learner: str
    learner_params: Mapping[str, Any]
    columns: tuple[str, ...]
    scheme: str = "walk_forward"
    scheme_params: Mapping[str, Any] = field(default_factory=dict)
    strategy: str = ""
    strategy_params: Mapping[str, Any] = field(default_factory=dict)
    fitting: Fitting = Fitting()
    rules: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    shuffle_labels: bool = False
    module: str = ""

    @property
    def family(self) -> str:
        """What trials are counted by."""
        return self.strategy or "forecast"

    def values(self) -> dict[str, Any]:
        """JSON in plain values; ``question_from`` reads it."""
        return plain(asdict(self) | dict(fitting=values_of(self.fitting)))

    @property
    def hash(self) -> str:
        """Distinct questions have distinct hashes."""
        return hashlib.sha256(canonical(self.values())).hexdigest()


def question_from(values: Mapping[str, Any]) -> Question:
    """The question of ``Question.values``."""
    given = dict(values)
    given["fitting"] = build(Fitting, given.get("fitting", {}))
    for name in ("data", "span", "columns"):
        given[name] = tuple(given[name])
    return Question(**given)


def strategy_of(question: Question) -> Strategy | None:
    return make(question.strategy, question.strategy_params) if question.strategy else None
