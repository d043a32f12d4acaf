"""A search for good parameters with fewer trials than a grid has: its space, its objectives and its method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import BadRequest, listed, unknown
from domain.optimise.grid import known_param, swept
from domain.optimise.objective import OBJECTIVES
from domain.optimise.ranges import last_of, listed_values, number, unmet_end
from domain.params import Param, checked, param

SAMPLERS = ("tpe", "nsga2", "random")
KEYS = ("low", "high", "step", "log", "choices")     # of a range


@dataclass(frozen=True)
class Search:
    """Settings of a search. The same seed on the same data makes the same trials, however many workers share them."""

    trials: int = param(200, low=1, high=20_000, unit="trials", help="number of combinations to try")
    batch: int = param(16, low=1, high=512, unit="trials", help="trials suggested at once and run in parallel")
    sampler: str = param("tpe", choices=SAMPLERS, unit="", help="tree-structured Parzen estimator, genetic (NSGA-II), or random")
    first: str = param("sharpe", choices=tuple(OBJECTIVES), unit="", title="Objective", help="metric to maximise")
    second: str = param("", choices=("", *OBJECTIVES), unit="", title="Second objective", help="second metric to maximise; the result is a Pareto front")
    fewest_trades: int = param(30, low=0, high=1_000_000, unit="trades", title="Min. trades", help="combinations with fewer trades count as failed")
    prune: bool = param(True, unit="", title="Early stopping", help="stops a trial after one or two thirds of the data if it is worse there than the median of earlier trials; one objective only")
    seed: int = param(0, low=0, high=2**31 - 1, unit="", help="sampler seed; the same seed on the same data makes the same trials")

    @property
    def objectives(self) -> tuple[str, ...]:
        return (self.first, self.second) if self.second else (self.first,)

    @property
    def prunes(self) -> bool:
        return self.prune and not self.second


@dataclass(frozen=True)
class Dimension:
    """One parameter that is searched: from ``low`` to ``high`` (in steps of ``step`` where that is above 0), or among ``choices``. ``note``: a sentence where this differs from the request."""

    name: str
    low: float | None = None
    high: float | None = None
    step: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()
    integer: bool = False
    note: str = ""


def dimensions(strategy: str, space: Mapping[str, Any]) -> list[Dimension]:
    """``space``: name -> ``[low, high]``, ``[low, high, step]``, ``{"low", "high", "step", "log"}`` or ``{"choices": [...]}``.

    >>> dimensions("simple_ma", {"fast": [2, 50]})[0].integer
    True
    """
    return dimensions_of(swept(strategy), space)


def dimensions_of(params: Mapping[str, Param], space: Mapping[str, Any]) -> list[Dimension]:
    """The same of any parameters by name, as those of a learner."""
    if not isinstance(space, Mapping):
        raise BadRequest(f"the space to search is {space!r}; it must be a mapping of parameters to their ranges")
    if not space:
        raise BadRequest("nothing to search: name at least one parameter with its range")
    return [_dimension(name, given, params) for name, given in space.items()]


def notes(strategy: str, space: Mapping[str, Any]) -> list[str]:
    """Sentences on the parts of ``space`` that are not searched as written."""
    return [dimension.note for dimension in dimensions(strategy, space) if dimension.note]


def _dimension(name: str, given: Any, params: Mapping[str, Any]) -> Dimension:
    param = known_param(params, name, "search")
    if isinstance(given, Mapping):
        for key in given:
            if key not in KEYS:
                raise unknown(f"key in the range of {name}", key, KEYS)
        if "choices" in given:
            return _choices(name, param, given)
    if param.type not in (int, float):
        raise BadRequest(f"{name} is not a number; give its choices, as in {{\"choices\": [...]}}")
    low, high, step, log = _range(name, given)
    low, high = checked(param, low), checked(param, high)
    if param.type is int and step != int(step):
        raise BadRequest(f"{name} is a whole number, and its step is {step}; the step must be a whole number too")
    if step > high - low:
        raise BadRequest(f"{name} goes from {low} to {high} in steps of {step}; the step must fit into the range")
    last = last_of(low, high, step) if step else high
    return Dimension(name, low, last, float(step), log, integer=param.type is int, note=unmet_end(name, low, high, step) if step else "")


def _choices(name: str, param: Param, given: Mapping[str, Any]) -> Dimension:
    if len(given) > 1:
        raise BadRequest(f"{name} has choices and a range; give one of them")
    values = (checked(param, value) for value in listed_values(f"the choices of {name}", given["choices"]))
    return Dimension(name, choices=tuple(dict.fromkeys(values)))


def _range(name: str, given: Any) -> tuple[Any, Any, Any, bool]:
    if isinstance(given, Mapping):
        missing = [key for key in ("low", "high") if key not in given]
        if missing:
            raise BadRequest(f"the range of {name} has no {listed(missing)}; write it like {{\"low\": 5, \"high\": 50}}")
        low, high, step, log = given["low"], given["high"], given.get("step", 0), given.get("log", False)
    elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)) and len(given) in (2, 3):
        low, high, step, log = given[0], given[1], given[2] if len(given) == 3 else 0, False
    else:
        raise BadRequest(f"{name} is {given!r}; write [low, high], [low, high, step], or a mapping of low, high, step and log")
    for key, value in (("low end", low), ("high end", high), ("step", step)):
        number(f"the {key} of {name}", value)
    if not isinstance(log, bool):
        raise BadRequest(f"log of {name} is {log!r}; it must be true or false")
    if not low < high or step < 0:
        raise BadRequest(f"{name} goes from {low} to {high}{f' in steps of {step}' if step else ''}; it must go upwards, in steps above 0")
    if log and (low <= 0 or step):
        raise BadRequest(f"{name} is searched on a logarithmic scale: it must begin above 0 and have no step")
    return low, high, step, log
