"""A written strategy as it is stored and shared: a JSON object with its name, what it is for, its conditions and its risk."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domain.errors import BadRequest, unknown
from domain.features.expression import condition_of_text
from domain.market.timeframe import Timeframe
from domain.params import build, values_of
from domain.parsing import object_of
from domain.strategies.written import CONDITIONS, Written

RISK = ("stop_atr", "reward_to_risk", "drawdown_tolerance")
FIELDS = ("name", "type", "timeframe", "pairs", *CONDITIONS, *RISK)
NAME = re.compile(r"[^\W_][\w .,()+'/&-]{0,63}")
LONGEST_TYPE, MOST_PAIRS = 40, 50
EXAMPLE = '{"name": "dip", "timeframe": "M15", "long": "zscore(20) <= -2", "exit_long": "zscore(20) >= 0", "stop_atr": 2}'


@dataclass(frozen=True)
class Definition:
    """``type``: the user's word for its kind. ``timeframe`` and ``pairs``: what it was written for, empty for any; it may be run on others."""

    name: str
    type: str
    timeframe: str
    pairs: tuple[str, ...]
    strategy: Written

    @property
    def params(self) -> dict[str, Any]:
        """Those of the strategy ``written``."""
        return values_of(self.strategy)

    @cached_property
    def text(self) -> str:
        """As JSON, every field in its order: what ``definition_of`` reads."""
        params = self.params
        values = dict(name=self.name, type=self.type, timeframe=self.timeframe, pairs=list(self.pairs), **{name: params[name] for name in (*CONDITIONS, *RISK)})
        return json.dumps(values, indent=1, ensure_ascii=False) + "\n"

    def notes(self, timeframe: str, instruments: Mapping[str, Any] | tuple[str, ...] | list[str]) -> list[str]:
        """A sentence for each way in which a run differs from what the strategy was written for."""
        others = [name for name in instruments if self.pairs and name not in self.pairs]
        notes = [f"{self.name} was written for {self.timeframe} bars, and is run on {timeframe}."] if self.timeframe and timeframe and timeframe != self.timeframe else []
        return notes + ([f"{self.name} was written for {', '.join(self.pairs)}, and is run on {', '.join(others)}."] if others else [])


def definition_of(text: str, what: str, name: str = "") -> Definition:
    """The strategy that a JSON text defines; ``what`` names the text in errors, ``name`` is used where it gives none.

    >>> definition_of('{"name": "dip", "long": "zscore(20) <= -2", "stop_atr": 2}', "dip.json").params["reward_to_risk"]
    2.0
    >>> definition_of('{"name": "dip", "lnog": "close > 1"}', "dip.json")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no field of dip.json named 'lnog'; did you mean 'long'?
    >>> definition_of('{"name": "dip", "long": "clsoe > 1"}', "dip.json")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: dip.json: long, column 1: no column, feature or function named 'clsoe'; did you mean 'close'?
    """
    values = object_of(text, what, EXAMPLE)
    for key in values:
        if key not in FIELDS:
            raise unknown(f"field of {what}", key, FIELDS)
    try:
        return defined({"name": name, **values})
    except BadRequest as error:
        raise BadRequest(f"{what}: {error}") from None


def defined(values: Mapping[str, Any]) -> Definition:
    """The strategy of plain values by ``FIELDS``; what is left out is as declared, and no condition."""
    name, kind = (_text(field, values.get(field, "")) for field in ("name", "type"))
    if not NAME.fullmatch(name):
        raise BadRequest(f"name is {name!r}; it must be 1 to 64 letters, digits, spaces and . , ( ) + - ' / & and begin with a letter or digit")
    if len(kind) > LONGEST_TYPE:
        raise BadRequest(f"type is {len(kind)} letters long; it must be at most {LONGEST_TYPE}")
    timeframe = _text("timeframe", values.get("timeframe", ""))
    timeframe = str(Timeframe.named(timeframe)) if timeframe else ""
    conditions = {field: _text(field, values.get(field, "")) for field in CONDITIONS}
    params = {field: values[field] for field in RISK if values.get(field) is not None}
    strategy = build(Written, {"name": name, **conditions, **params})
    for field in CONDITIONS if timeframe else ():
        _fits(field, conditions[field], timeframe)
    return Definition(name, kind, timeframe, _pairs(values.get("pairs", ())), strategy)


def _fits(field: str, text: str, timeframe: str) -> None:
    """Does a condition ask for bars that are shorter than those it is for?"""
    try:
        if text:
            condition_of_text(text, timeframe)
    except BadRequest as error:
        raise BadRequest(f"{field}, {error}") from None


def _text(field: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"{field} is {value!r}; it must be a text")
    return value.strip()


def _pairs(value: Any) -> tuple[str, ...]:
    """A list of names, or a text with commas between them."""
    names = value.split(",") if isinstance(value, str) else value
    if names is None:
        return ()
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise BadRequest(f'pairs is {value!r}; it must be a list of instruments, as in ["XAUUSD", "EURUSD"]')
    names = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(names) > MOST_PAIRS:
        raise BadRequest(f"pairs has {len(names)} names; it must be at most {MOST_PAIRS}")
    return names
