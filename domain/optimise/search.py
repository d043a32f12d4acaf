"""A search for good parameters with fewer trials than a grid has: what it may vary, by what it is judged, and how it goes about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import BadRequest
from domain.optimise.grid import known_param, swept
from domain.optimise.objective import OBJECTIVES
from domain.params import checked, param

SAMPLERS = ("tpe", "nsga2", "random")


@dataclass(frozen=True)
class Search:
    """How to search. The same seed on the same data makes the same trials, however many workers share them."""

    trials: int = param(200, low=1, high=20_000, unit="trials", help="combinations to try")
    batch: int = param(16, low=1, high=512, unit="trials", help="suggested at once, tried side by side, and learned from together")
    sampler: str = param("tpe", choices=SAMPLERS, unit="", help="tree-structured Parzen estimator, genetic (NSGA-II), or random")
    first: str = param("sharpe", choices=tuple(OBJECTIVES), unit="", title="Objective", help="what is made as high as can be")
    second: str = param("", choices=("", *OBJECTIVES), unit="", title="Second objective", help="also made as high as can be; the result is a front of those that nothing beats in both")
    fewest_trades: int = param(30, low=0, high=1_000_000, unit="trades", title="At least", help="combinations with fewer trades count as failed")
    prune: bool = param(True, unit="", help="give a trial up after a third or two of the data if it is worse there than the median of those before; one objective only")
    seed: int = param(0, low=0, high=2**31 - 1, unit="", help="of the sampler")

    @property
    def objectives(self) -> tuple[str, ...]:
        return (self.first, self.second) if self.second else (self.first,)

    @property
    def prunes(self) -> bool:
        return self.prune and not self.second


@dataclass(frozen=True)
class Dimension:
    """One parameter that is searched: from ``low`` to ``high`` (in steps of ``step`` where that is above 0), or among ``choices``."""

    name: str
    low: float | None = None
    high: float | None = None
    step: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()
    whole: bool = False


def dimensions(strategy: str, space: Mapping[str, Any]) -> list[Dimension]:
    """``space``: name -> ``[low, high]``, ``[low, high, step]``, ``{"low", "high", "step", "log"}`` or ``{"choices": [...]}``.

    >>> dimensions("simple_ma", {"fast": [2, 50]})[0].whole
    True
    """
    known = swept(strategy)
    if not space:
        raise BadRequest("nothing to search: name at least one parameter with its range")
    return [_dimension(name, given, known) for name, given in space.items()]


def _dimension(name: str, given: Any, known: Mapping[str, Any]) -> Dimension:
    one = known_param(known, name, "search")
    if isinstance(given, Mapping) and "choices" in given:
        return Dimension(name, choices=tuple(checked(one, value) for value in given["choices"]))
    if one.type not in (int, float):
        raise BadRequest(f"{name} is not a number; give its choices, as in {{\"choices\": [...]}}")
    low, high, step, log = _range(name, given)
    return Dimension(name, checked(one, low), checked(one, high), float(step), bool(log), whole=one.type is int)


def _range(name: str, given: Any) -> tuple[Any, Any, Any, Any]:
    if isinstance(given, Mapping):
        low, high, step, log = (given.get(key, 0) for key in ("low", "high", "step", "log"))
    elif isinstance(given, Sequence) and len(given) in (2, 3):
        low, high, step, log = (*given, 0, 0)[:4] if len(given) == 2 else (*given, 0)
    else:
        raise BadRequest(f"{name} is {given!r}; write [low, high], [low, high, step], or a mapping of low, high, step and log")
    if not low < high or step < 0:
        raise BadRequest(f"{name} goes from {low} to {high} in steps of {step}; it must go upwards")
    if log and (low <= 0 or step):
        raise BadRequest(f"{name} is searched on a logarithmic scale: it must begin above 0 and have no step")
    return low, high, step, log
