"""What a feature is: a causal column, made by a function whose signature is its whole declaration."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from domain.errors import BadRequest, unknown
from domain.market.timeframe import Timeframe
from domain.registry import Registry

LARGEST = 100_000_000           # of a whole parameter: more bars than there are, and far from what numbers can hold
Column = np.ndarray             # a float64 a bar, NaN for none
Bars = int | Callable[..., int]     # a number of bars, or what gives it for chosen parameters

BAR_COLUMNS = ("open", "high", "low", "close", "volume", "spread")     # NaN where the bars have none
TIMES = ("ts", "end")           # when a bar opens and when it is known, int64 nanoseconds UTC
FAMILIES = ("others", "macro")  # name -> column: closes of other instruments and outside series, as known at each bar's end
FACTS = ("headlines", "releases", "forecasts", "instrument", "timeframe", "tick")    # what is no column: see domain.features.context


@dataclass(frozen=True)
class Feature:
    """``inputs``: columns of the bars, other features, or values of their context. ``params``: name -> default.
    ``low`` and ``high``: bounds that no value passes, None for none. ``series``: see ``feature``."""

    name: str
    function: Callable[..., Column]
    inputs: tuple[str, ...]
    params: Mapping[str, Any]
    unit: str
    source: str
    family: str
    low: float | None = None
    high: float | None = None
    warm_up: Bars = 0
    memory: Bars | None = None
    state: Bars | None = None
    series: Callable[..., tuple[str, ...]] | None = None
    uses: Callable[..., tuple[Use, ...]] | None = None      # of a part of an expression: the columns that it reads

    @property
    def help(self) -> str:
        return (inspect.getdoc(self.function) or "").split("\n")[0]

    @property
    def about(self) -> str:
        """Its full description, without examples."""
        return (inspect.getdoc(self.function) or "").split("\n>>>")[0].strip()

    def bars_before(self, params: Mapping[str, Any]) -> int:
        """How many values of its inputs pass before it has one."""
        return _bars(self.warm_up, params)

    def bars_of_memory(self, params: Mapping[str, Any]) -> int:
        """How many of the latest values of its inputs give its latest value: exactly, or where it is recursive to 1e-9."""
        return self.bars_before(params) + 1 if self.memory is None else _bars(self.memory, params)

    def places(self, params: Mapping[str, Any]) -> int | None:
        """Length of what it remembers from bar to bar; None for a feature that remembers nothing."""
        return None if self.state is None else _bars(self.state, params)


FEATURES: Registry[Feature] = Registry("feature")
PARTS: dict[str, Feature] = {}      # what is computed as a feature is and is none of the catalogue: parts of expressions


def spec_of(name: str) -> Feature:
    """The feature of that name, or the part of an expression."""
    return PARTS[name] if name in PARTS else FEATURES[name]


def inputs_of(use_: Use) -> tuple[Use, ...]:
    """The other columns that one reads: features among its inputs, and what an expression names."""
    spec = spec_of(use_.name)
    named = spec.uses(**dict(use_.params)) if spec.uses else ()
    return *(use(name) for name in spec.inputs if name in FEATURES), *named


def feature(
    *, unit: str, source: str, low: float | None = None, high: float | None = None, warm_up: Bars = 0, memory: Bars | None = None, state: Bars | None = None,
    series: Callable[..., tuple[str, ...]] | None = None,
) -> Callable:  # fmt: skip
    """Register a function as a feature: positional arguments are its inputs, keyword-only arguments its parameters.

    ``warm_up``: so many values of its inputs pass before it has one. ``memory``: so many of the latest give its latest, where that is more than
    ``warm_up`` and one. ``state``: places of a float64 array, zeros before the first bar, that the function gets as ``state``, reads and leaves
    as it stands after its last bar; it goes on from there when a bar is appended. Each is a number, or a function of the parameters it names.
    ``series``: which external series it reads, a function of its parameters and of ``instrument``, whose bars they are; without it, where ``macro`` is among the inputs, any.
    """

    def register(function: Callable[..., Column]) -> Callable[..., Column]:
        arguments = inspect.signature(function).parameters.values()
        inputs = tuple(a.name for a in arguments if a.kind is not a.KEYWORD_ONLY)
        params = {a.name: a.default for a in arguments if a.kind is a.KEYWORD_ONLY and a.name != "state"}
        family = function.__module__.rsplit(".", 1)[-1]
        called = _of_lists(function, state, params)
        FEATURES.add(function.__name__, Feature(function.__name__, called, inputs, params, unit, source, family, low, high, warm_up, memory, state, series))
        return called

    return register


def _of_lists(function: Callable[..., Column], state: Bars | None, params: Mapping[str, Any]) -> Callable[..., Column]:
    """The same for lists and pandas columns, and with a fresh state where none is given."""

    @functools.wraps(function)
    def called(*inputs: Any, **chosen: Any) -> Column:
        if state is not None and "state" not in chosen:
            chosen["state"] = np.zeros(_bars(state, {**params, **chosen}))
        return function(*(_array(value) for value in inputs), **chosen)

    return called


def continued(values: Column, state: np.ndarray) -> Column:
    """``values`` after the latest of those before them. ``state``: how many are kept, and places for them, which then hold the latest of all.

    >>> state = np.zeros(3)
    >>> [continued(np.array([value]), state).tolist() for value in (1.0, 2.0, 3.0, 4.0)]
    [[1.0], [1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    """
    stored = int(state[0])
    history = np.concatenate((state[1 : 1 + stored], values)) if stored else values
    keep = min(len(history), len(state) - 1)
    state[0], state[1 : 1 + keep] = keep, history[len(history) - keep :]
    return history


def _array(value: Any) -> Any:
    if isinstance(value, np.ndarray) or not hasattr(value, "__len__") or isinstance(value, (dict, MappingProxyType, str, tuple)):
        return value
    values = np.asarray(value)
    return values if values.dtype == np.int64 and np.abs(values).max(initial=0) > 1 << 53 else values.astype(np.float64, copy=False)


def _bars(bars: Bars, params: Mapping[str, Any]) -> int:
    return bars if isinstance(bars, int) else int(bars(**{name: params[name] for name in inspect.signature(bars).parameters}))


@dataclass(frozen=True)
class Use:
    """One feature with chosen parameters, on the bars themselves or on longer ones; ``column`` is its name in a frame.

    >>> use("atr", window=20).column, use("true_range").column, use("atr", "H1", window=20).column
    ('atr(20)', 'true_range', 'atr(20)@H1')
    """

    name: str
    params: tuple[tuple[str, Any], ...]
    timeframe: str = ""
    column: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        values = f"({', '.join(str(value) for _, value in self.params)})" if self.params else ""
        object.__setattr__(self, "column", f"{self.name}{values}{'@' if self.timeframe else ''}{self.timeframe}")


def use(name: str, timeframe: str = "", /, **params: Any) -> Use:
    """The feature ``name`` with ``params`` over its defaults.

    >>> use("atr", windw=20)
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no parameter of atr named 'windw'; did you mean 'window'?
    >>> use("atr", window=0)
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: window of atr is 0; it must be a whole number above 0
    >>> use("atr", window=10**9)
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: window of atr is 1000000000; it must be at most 100000000
    """
    declared = FEATURES[name].params
    for param in params:
        if param not in declared:
            raise unknown(f"parameter of {name}", param, declared)
    chosen = tuple((key, _checked(name, key, params.get(key, default), default)) for key, default in declared.items())
    return Use(name, chosen, str(Timeframe.named(timeframe)) if timeframe else "")


def _checked(name: str, key: str, value: Any, default: Any) -> Any:
    kind = type(default)
    try:
        typed = kind(float(value)) if kind is int else kind(value)
        good = kind is not int or (typed == float(value) and typed > 0)
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good or (kind is float and not np.isfinite(typed)):
        raise BadRequest(f"{key} of {name} is {value}; it must be a {'whole number above 0' if kind is int else 'number' if kind is float else 'word'}")
    if kind is int and typed > LARGEST:
        raise BadRequest(f"{key} of {name} is {value}; it must be at most {LARGEST}")
    return typed


WRITTEN = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<params>[^()]*)\))?\s*(?:@\s*(?P<timeframe>\w+))?\s*")


def parse(text: str) -> Use:
    """A use as it is written: ``name``, ``name(values)`` or ``name(param=value)``, and ``@H1`` for longer bars.

    >>> parse("atr(14)").column, parse("atr(window=20)@H1").column, parse("atr").column
    ('atr(14)', 'atr(20)@H1', 'atr(14)')
    >>> parse("atr(14")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: 'atr(14' is no feature; write a name, and parameters in brackets if you choose them: atr(14), atr(window=14), atr(14)@H1
    """
    match = WRITTEN.fullmatch(text)
    if not match:
        raise BadRequest(f"{text!r} is no feature; write a name, and parameters in brackets if you choose them: atr(14), atr(window=14), atr(14)@H1")
    declared = list(FEATURES[match["name"]].params)
    params: dict[str, str] = {}
    for place, part in enumerate(piece.strip() for piece in (match["params"] or "").split(",") if piece.strip()):
        key, _, value = part.rpartition("=")
        if not key and place >= len(declared):
            raise BadRequest(f"{text} has more parameters than {match['name']}, which has {len(declared)}{': ' if declared else ''}{', '.join(declared)}")
        params[key.strip() or declared[place]] = value.strip()
    return use(match["name"], match["timeframe"] or "", **params)
