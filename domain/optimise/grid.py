"""Combinations of parameters: from values for each, or as a list of points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from domain.errors import BadRequest, unknown
from domain.optimise.ranges import MOST, listed_values
from domain.params import build, checked, params_of, values_of
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.strategies import STRATEGIES
from domain.trading.account import Account
from domain.trading.costs import Costs, OwnCosts
from domain.trading.execution import Execution

SWEPT_RULES = {"account": Account, "costs": Costs, "execution": Execution, "sizing": Sizing, "limits": Limits}

SWEPT_TYPES = (int, float, bool, str)

Point = dict[str, Any]  # what is changed: a parameter of the strategy (``lookback``) or of the rules (``costs.slippage``) -> value
Grid = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]


def combinations(strategy: str, grid: Grid) -> list[Point]:
    """Every combination of the grid, the last parameter running fastest; or the list as it was given. Each value is checked alone.

    >>> combinations("simple_ma", {"fast": [5, 10], "slow": [50, 60]})[1]
    {'fast': 5, 'slow': 60}
    >>> combinations("simple_ma", {"fsat": [5]})
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no parameter to sweep named 'fsat'; did you mean 'fast'?
    """
    return list(each_combination(strategy, grid))


def each_combination(strategy: str, grid: Grid) -> Iterator[Point]:
    """The same one after the other: values and their count are checked before the first, and none is built before it is taken.

    >>> next(each_combination("simple_ma", {"fast": range(1, 300), "slow": range(300, 600)}))
    {'fast': 1, 'slow': 300}
    """
    params = swept(strategy)
    if isinstance(grid, Mapping):
        values = {name: _values(params, name, given) for name, given in grid.items()}
        _not_too_many(math.prod(map(len, values.values())) if values else 0)
        return (dict(zip(values, point, strict=True)) for point in itertools.product(*values.values()))
    if isinstance(grid, (str, bytes)) or not all(isinstance(point, Mapping) for point in grid):
        raise BadRequest("the grid is neither a mapping of parameters to their values nor a list of combinations; write it like {\"lookback\": [10, 20]}")
    _not_too_many(len(grid))
    points = [{name: _values(params, name, [value])[0] for name, value in point.items()} for point in grid]
    if len({tuple(point) for point in points}) > 1:
        raise BadRequest("the combinations do not name the same parameters in the same order; each must give every swept parameter")
    return iter(points)


def swept(strategy: str) -> dict[str, Any]:
    """Name -> Param of everything that a sweep may change."""
    params = {param.name: param for param in params_of(STRATEGIES[strategy])}
    return params | {f"{section}.{rule_param.name}": rule_param for section, cls in SWEPT_RULES.items() for rule_param in params_of(cls) if rule_param.type in SWEPT_TYPES}


def known_param(params: Mapping[str, Any], name: str, purpose: str = "sweep") -> Any:
    """The Param of a name that may be swept, ``costs.EURUSD.slippage`` too.

    >>> known_param(swept("simple_ma"), "costs.EURUSD.slippage").name
    'slippage'
    """
    section, _, own = name.partition(".")
    instrument, _, cost = own.rpartition(".")
    if section == "costs" and instrument and name not in params:
        for param in params_of(OwnCosts):
            if param.name == cost:
                return param
        raise unknown(f"cost of {instrument} to {purpose}", cost, [param.name for param in params_of(OwnCosts)])
    if name not in params:
        raise unknown(f"parameter to {purpose}", name, params)
    return params[name]


def feasible(strategy: str, params: Mapping[str, Any], points: Iterable[Point], rules: Mapping[str, Mapping[str, Any]] = {}) -> tuple[list[Point], dict[str, int]]:
    """The points that give a valid strategy over ``params`` and valid sections over ``rules``, and the number of points that each reason excluded.

    >>> feasible("simple_ma", {}, [{"fast": 5, "slow": 50}, {"fast": 50, "slow": 50}])
    ([{'fast': 5, 'slow': 50}], {'fast is 50 bars and slow 50; fast must be the shorter one': 1})
    >>> feasible("momentum", {}, [{"limits.daily_loss": loss} for loss in (0.0, 0.02)], {"limits": {"daily_gate": True}})[0]
    [{'limits.daily_loss': 0.02}]
    """
    possible, refused = [], dict[str, int]()
    for point in points:
        try:
            strategy_of(strategy, params, point).features()
            for name in {key.partition(".")[0] for key in point if "." in key} & set(rules):
                section_at(name, rules[name], point)
        except BadRequest as error:
            refused[str(error)] = refused.get(str(error), 0) + 1
        else:
            possible.append(point)
    return possible, refused


def strategy_of(strategy: str, params: Mapping[str, Any], point: Point) -> Any:
    """The strategy at this point."""
    return build(STRATEGIES[strategy], {**params, **{name: value for name, value in point.items() if "." not in name}})


def rules_at(section: Any, name: str, point: Point) -> Any:
    """One section of the rules at this point.

    >>> rules_at(Costs(), "costs", {"costs.slippage": 0.1, "lookback": 3}).slippage
    0.1
    """
    return section_at(name, values_of(section), point) if any(key.startswith(f"{name}.") for key in point) else section


def section_at(name: str, values: Mapping[str, Any], point: Point) -> Any:
    """A section of the rules, of plain ``values``, at this point; BadRequest where they do not go together."""
    changed = {key.partition(".")[2]: value for key, value in point.items() if key.startswith(f"{name}.")}
    values = {"instruments": {}, **values} if name == "costs" else dict(values)
    for key in [key for key in changed if "." in key]:
        instrument, _, cost = key.rpartition(".")
        values["instruments"] = {**values["instruments"], instrument: {**values["instruments"].get(instrument, {}), cost: changed.pop(key)}}
    return build(SWEPT_RULES[name], {**values, **changed})


def _values(params: Mapping[str, Any], name: str, given: Sequence[Any]) -> list[Any]:
    parameter = known_param(params, name)
    return list(dict.fromkeys(checked(parameter, value) for value in listed_values(name, given)))


def _not_too_many(count: int) -> None:
    if not 0 < count <= MOST:
        raise BadRequest(f"the grid has {count:,} combinations; it must have between 1 and {MOST:,}. Take fewer values, or search instead of sweeping")
