"""A parameter is declared once: default, bounds, unit and help. Forms, terminal, hashes and checks read it from there."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from domain.errors import BadRequest, unknown

T = TypeVar("T")


@dataclass(frozen=True)
class Param:
    """The description of one field, for forms and the terminal."""

    name: str
    type: type
    default: Any
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    unit: str
    help: str
    aliases: Mapping[str, str]
    title: str


def param(
    default: Any, *, low: float | None = None, high: float | None = None, choices: tuple[str, ...] = (), unit: str = "", help: str = "",
    aliases: Mapping[str, str] = MappingProxyType({}), title: str = "",
) -> Any:  # fmt: skip
    """A dataclass field that knows its bounds, or its choices and other words for them, its unit and what it means.
    ``title`` is what forms call it where its name does not read well."""
    return field(default=default, metadata=dict(low=low, high=high, choices=choices, unit=unit, help=help, aliases=aliases, title=title))


def params_of(cls: type) -> tuple[Param, ...]:
    """The parameters of a dataclass, in the order they were declared.

    >>> @dataclass(frozen=True)
    ... class Channel:
    ...     lookback: int = param(20, low=2, high=500, unit="bars")
    >>> params_of(Channel)[0].high
    500
    """
    return _params_of(cls)


@lru_cache(maxsize=512)
def _params_of(cls: type) -> tuple[Param, ...]:
    types = typing.get_type_hints(cls)
    return tuple(Param(f.name, _plain(types[f.name]), f.default, **f.metadata) for f in dataclasses.fields(cls) if "unit" in f.metadata)


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """``cls`` from loosely typed values, each checked against its declaration.

    >>> @dataclass(frozen=True)
    ... class Channel:
    ...     lookback: int = param(20, low=2, high=500, unit="bars")
    >>> build(Channel, {"lookback": 1})
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: lookback is 1 bars; it must be between 2 and 500
    >>> build(Channel, {"lokback": 3})
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no parameter of Channel named 'lokback'; did you mean 'lookback'?
    """
    declared, values = {p.name: p for p in params_of(cls)}, arranged(cls, values)
    for name in values:
        if name not in declared:
            raise unknown(f"parameter of {cls.__name__}", name, declared)
    return cls(**{name: checked(declared[name], value) for name, value in values.items()})


def arranged(cls: type, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values by the names of the parameters, where a class also takes them in another arrangement (its ``arranged``)."""
    arrange = getattr(cls, "arranged", None)
    return arrange(values) if arrange else values


def faults(cls: type, values: Mapping[str, Any]) -> dict[str, str]:
    """Every bad value with its sentence, for a form that shows each beside its field."""
    sentences = {}
    for p in params_of(cls):
        try:
            checked(p, values.get(p.name, p.default))
        except BadRequest as error:
            sentences[p.name] = str(error)
    return sentences


def values_of(thing: Any) -> dict[str, Any]:
    """The parameters of ``thing`` as plain values, defaults included."""
    return {p.name: getattr(thing, p.name) for p in params_of(type(thing))}


def checked(p: Param, value: Any) -> Any:
    """``value`` as ``p.type`` and inside the bounds of ``p``; else a sentence about ``p``."""
    if value is None:
        if p.default is None:
            return None
        raise BadRequest(f"{p.name} is empty; it must be a {_word(p)}")
    value = _typed(p, value)
    value = p.aliases.get(value, value) if p.choices else value
    if p.choices and value not in p.choices:
        raise unknown(p.name, value, p.choices)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _within(p, value)
    return value


def whole_number(name: str, value: Any, low: int, high: int, unit: str = "") -> int:
    """``value`` as a whole number between ``low`` and ``high``, for a value that is not a field of a class.

    >>> whole_number("seed", -1, 0, 2**53 - 1)
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: seed is -1; it must be between 0 and 9007199254740991
    """
    return int(checked(Param(name, int, low, low, high, (), unit, "", {}, ""), value))


def _typed(p: Param, value: Any) -> Any:
    try:
        if p.type is bool:
            return _truth(value)
        if (p.type in (int, float) and isinstance(value, bool)) or (p.type is str and not isinstance(value, (str, int, float))):
            raise TypeError
        if p.type is int and float(value) != int(float(value)):
            raise ValueError
        return p.type(float(value)) if p.type is int else p.type(value)
    except (TypeError, ValueError, OverflowError, KeyError):
        raise BadRequest(f"{p.name} is {value!r}; it must be a {_word(p)}") from None


def _truth(value: Any) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]


def _within(p: Param, value: float) -> None:
    low, high = p.low, p.high
    if not math.isfinite(value) or (low is not None and value < low) or (high is not None and value > high):
        bounds = f"between {low} and {high}" if None not in (low, high) else f"at least {low}" if high is None else f"at most {high}"
        raise BadRequest(f"{p.name} is {value}{' ' + p.unit if p.unit else ''}; it must be {bounds if (low, high) != (None, None) else 'a number'}")


def _word(p: Param) -> str:
    return {int: "whole number", float: "number", bool: "true or false", str: "word"}.get(p.type, getattr(p.type, "word", p.type.__name__))


def _plain(hint: Any) -> type:
    """``float | None`` is drawn and checked as ``float``."""
    inner = [t for t in typing.get_args(hint) if t is not type(None)]
    return inner[0] if inner else hint
