"""The plan of a session: what it trades, by which strategies, under which rules; JSON, checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

from domain.backtest.own_limits import limited
from domain.errors import BadRequest, unknown
from domain.live.inputs import Inputs
from domain.live.market_series import SeriesName
from domain.live.signal_rows import SIGNALS, Signals
from domain.market.instrument import Instrument
from domain.market.instrument import instruments as shipped
from domain.params import build, values_of
from domain.parsing import object_of
from domain.strategies import Strategy
from domain.strategies.base import distinct, make, own_name
from domain.trading.instants import instants
from domain.trading.rules import SECTIONS, Rules, rules_from

MODES = ("auto", "approve")
QUOTED = ("bid", "mid")
FIELDS = ("series", "strategies", "rules", "mode", "from", "side", "model", "scan")
MODEL = ("name", "version", "hash")
EXAMPLE = '{"series": ["EURUSD M5"], "strategies": [{"name": "breakout", "params": {}}], "mode": "auto"}'


@dataclass(frozen=True)
class StrategyPlan:
    """A strategy by its name in the catalogue, with its parameters over the defaults; ``signals``: the table that the session is given. ``series``: those
    it decides on, () for all of the session."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    series: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", values_of(_built(self.name, self.params)))

    @cached_property
    def built(self) -> Strategy:
        return _built(self.name, self.params)

    def plain(self) -> dict[str, Any]:
        return dict(name=self.name, params=dict(self.params), series=list(self.series))


@dataclass(frozen=True)
class Plan:
    """``series``: of one account, in the order in which it works them; ``side``: what their bars quote. ``start``: bars that open before it are history
    (nanoseconds UTC; None: there is none). ``model``: name, version and hash of the one that filters the signals, or forecasts. ``scan``: criteria and
    equity of a scanner, whose proposals are traded. ``instruments``: the table of instruments, ``inputs``: what is there beside bars; no part of the plan's text.

    >>> plan = Plan(("EURUSD M5", "EURUSD H1"), (StrategyPlan("breakout", {"lookback": 20}),))
    >>> Plan.read(plan.text) == plan
    True
    >>> Plan.read('{"series": ["EURUSD M5"], "strategies": [{"name": "brakeout"}]}')
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no strategy named 'brakeout'; did you mean 'breakout'?
    """

    series: tuple[str, ...]
    strategies: tuple[StrategyPlan, ...]
    rules: Rules = Rules()
    mode: str = "auto"
    start: int | None = None
    side: str = "bid"
    model: Mapping[str, Any] | None = None
    scan: Mapping[str, Any] | None = None
    instruments: Mapping[str, Instrument] = field(default_factory=shipped, compare=False, repr=False)
    inputs: Inputs = field(default_factory=Inputs, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.series:
            raise BadRequest("the plan names no series; write them as in EURUSD M5")
        if len(set(self.series)) < len(self.series):
            raise BadRequest(f"the plan names a series twice: {', '.join(self.series)}; name each once")
        if not self.strategies:
            raise BadRequest("the plan names no strategy; give at least one")
        for text in self.series:
            self.name_of(text).of(self.instruments)
        for planned in self.strategies:
            self._check(planned)
        if self.of_signals:
            self._check_signals()
        if self.mode not in MODES:
            raise unknown("mode", self.mode, MODES)
        if self.side not in QUOTED:
            raise unknown("side", self.side, QUOTED)
        self._check_chosen()

    def _check(self, planned: StrategyPlan) -> None:
        for text in planned.series:
            if text not in self.series:
                raise unknown("series of the plan", text, self.series)

    def _check_signals(self) -> None:
        if len(self.strategies) > 1:
            raise BadRequest("a session trades strategies or a table of signals; name one of them")
        names = [self.name_of(text).instrument for text in self.series]
        if twice := next((name for k, name in enumerate(names) if name in names[:k]), ""):
            raise BadRequest(f"{twice} is traded in several timeframes, and signals name the instrument only; give one timeframe of it")

    def _check_chosen(self) -> None:
        if self.model is not None and self.scan is not None:
            raise BadRequest("a session has a model or a scanner, not both; leave one of them out")
        if self.of_signals and (self.model is not None or self.scan is not None):
            raise BadRequest("a model and a scanner choose among the signals of strategies; leave it out, or give strategies instead of a table of signals")

    @property
    def of_signals(self) -> bool:
        """Whether a table of signals is traded, not strategies."""
        return any(planned.name == SIGNALS for planned in self.strategies)

    def name_of(self, text: str) -> SeriesName:
        return SeriesName.read(text)

    def instrument(self, text: str) -> Instrument:
        """The instrument of a series."""
        return self.name_of(text).of(self.instruments)

    @cached_property
    def decided(self) -> tuple[tuple[str, int], ...]:
        """Every pair of a series and the number of a strategy that decides on it, series first: the tasks of the account, in their order."""
        return tuple((text, number) for text in self.series for number, planned in enumerate(self.strategies) if not planned.series or text in planned.series)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What commands and tables call the strategies: of a written one its own name, the second of one name numbered.

        >>> Plan(("EURUSD M5",), (StrategyPlan("breakout"), StrategyPlan("breakout", {"lookback": 20}))).names
        ('breakout', 'breakout 2')
        """
        return distinct(SIGNALS if planned.name == SIGNALS else own_name(planned.built) for planned in self.strategies)

    @cached_property
    def account_rules(self) -> Rules:
        """The rules under the strictest limit of drawdown that a strategy sets itself."""
        return reduce(limited, (planned.built for planned in self.strategies), self.rules)

    def plain(self) -> dict[str, Any]:
        return dict(
            series=list(self.series),
            strategies=[planned.plain() for planned in self.strategies],
            rules=self.rules.values(),
            mode=self.mode,
            side=self.side,
            **({"from": self.start} if self.start is not None else {}),
            **({"model": dict(self.model)} if self.model is not None else {}),
            **({"scan": dict(self.scan)} if self.scan is not None else {}),
        )

    @property
    def text(self) -> str:
        """As JSON: what ``read`` reads."""
        return json.dumps(self.plain(), ensure_ascii=False)

    @classmethod
    def read(cls, text: str, instruments: Mapping[str, Instrument] | None = None) -> Plan:
        return cls.of(object_of(text, "the plan", EXAMPLE), instruments)

    @classmethod
    def of(cls, values: Mapping[str, Any], instruments: Mapping[str, Instrument] | None = None) -> Plan:
        """A plan of plain values; what is left out is as declared. ``from`` is a number of nanoseconds or a time as text."""
        for name in values:
            if name not in FIELDS:
                raise unknown("field of the plan", name, FIELDS)
        series = _texts("series", values.get("series", ()))
        strategies = tuple(_strategy(each) for each in _list("strategies", values.get("strategies", ())))
        rules = _rules(values.get("rules", {}))
        table = shipped() if instruments is None else instruments
        chosen = _model(values.get("model")), _object("scan", values.get("scan"))
        return cls(series, strategies, rules, str(values.get("mode", "auto")), _instant(values.get("from")), str(values.get("side", "bid")), *chosen, table)


def _built(name: str, params: Mapping[str, Any]) -> Strategy:
    return build(Signals, params) if name == SIGNALS else make(name, params)


def _list(name: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise BadRequest(f"{name} of the plan is {value!r}; it must be a list")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not all(isinstance(each, str) for each in _list(name, value)):
        raise BadRequest(f"{name} of the plan is {value!r}; it must be a list of names, as in EURUSD M5")
    return tuple(str(SeriesName.read(each)) for each in value)


def _strategy(value: Any) -> StrategyPlan:
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str) or not isinstance(value.get("params", {}), Mapping):
        raise BadRequest(f'a strategy of the plan is {value!r}; write it as in {{"name": "breakout", "params": {{}}, "series": []}}')
    for name in value:
        if name not in ("name", "params", "series"):
            raise unknown("field of a strategy of the plan", name, ("name", "params", "series"))
    return StrategyPlan(value["name"], value.get("params", {}), _texts("series", value.get("series", ())))


def _rules(values: Any) -> Rules:
    if not isinstance(values, Mapping):
        raise BadRequest(f"rules of the plan is {values!r}; it must be an object with {', '.join(SECTIONS)}")
    for name in values:
        if name not in SECTIONS:
            raise unknown("section of the plan's rules", name, SECTIONS)
    return rules_from(values)


def _object(name: str, value: Any) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise BadRequest(f"{name} of the plan is {value!r}; it must be an object")
    return value


def _model(value: Any) -> Mapping[str, Any] | None:
    model = _object("model", value)
    if model is not None and set(model) != set(MODEL):
        raise BadRequest(f"model of the plan is {dict(model)!r}; it must name {', '.join(MODEL)}")
    return model


def _instant(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    import pandas as pd

    if not isinstance(value, str) or not value.strip():
        raise BadRequest(f"from of the plan is {value!r}; it must be a time in UTC, as in 2024-01-02T10:00Z")
    return int(instants(pd.Series([value]))[0].as_unit("ns").value)
