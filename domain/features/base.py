"""What a feature is, and how a frame of features is computed: each column once, inputs before what needs them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from domain.errors import unknown
from domain.registry import Registry

BAR_COLUMNS = ("open", "high", "low", "close", "volume", "spread")


@dataclass(frozen=True)
class Feature:
    """A function of columns. ``inputs``: columns of the bars or other features; ``params``: name -> default."""

    name: str
    function: Callable[..., pd.Series]
    inputs: tuple[str, ...]
    params: Mapping[str, Any]
    unit: str
    source: str
    family: str

    @property
    def help(self) -> str:
        return (inspect.getdoc(self.function) or "").split("\n")[0]


FEATURES: Registry[Feature] = Registry("feature")


def feature(*, unit: str, source: str) -> Callable:
    """Register a function as a feature: positional arguments are its inputs, keyword-only arguments its parameters."""

    def register(function: Callable[..., pd.Series]) -> Callable[..., pd.Series]:
        arguments = inspect.signature(function).parameters.values()
        inputs = tuple(a.name for a in arguments if a.kind is not a.KEYWORD_ONLY)
        params = {a.name: a.default for a in arguments if a.kind is a.KEYWORD_ONLY}
        family = function.__module__.rsplit(".", 1)[-1]
        FEATURES.add(function.__name__, Feature(function.__name__, function, inputs, params, unit, source, family))
        return function

    return register


@dataclass(frozen=True)
class Use:
    """One feature with chosen parameters; ``column`` is its name in a frame.

    >>> use("atr", window=20).column, use("true_range").column
    ('atr(20)', 'true_range')
    """

    name: str
    params: tuple[tuple[str, Any], ...]

    @property
    def column(self) -> str:
        return f"{self.name}({', '.join(str(value) for _, value in self.params)})" if self.params else self.name


def use(name: str, **params: Any) -> Use:
    """The feature ``name`` with ``params`` over its defaults.

    >>> use("atr", windw=20)
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no parameter of atr named 'windw'; did you mean 'window'?
    """
    declared = FEATURES[name].params
    for param in params:
        if param not in declared:
            raise unknown(f"parameter of {name}", param, declared)
    return Use(name, tuple((key, params.get(key, default)) for key, default in declared.items()))


def compute(bars: pd.DataFrame, uses: Iterable[Use]) -> pd.DataFrame:
    """``bars`` and beside them a column for each use. The bars are not changed.

    >>> bars = pd.DataFrame({"high": [2.0, 4.0, 3.0], "low": [1.0, 2.0, 2.5], "close": [1.5, 3.0, 2.5]})
    >>> compute(bars, [use("true_range")])["true_range"].tolist()
    [nan, 2.5, 0.5]
    """
    known: dict[str, pd.Series] = {}
    columns = {one.column: _column(bars, one, known) for one in uses}
    return pd.concat([bars, *(column.rename(name) for name, column in columns.items())], axis=1) if columns else bars


def _column(bars: pd.DataFrame, one: Use, known: dict[str, pd.Series]) -> pd.Series:
    if one.column not in known:
        spec = FEATURES[one.name]
        inputs = [bars[name] if name in bars else _column(bars, use(name), known) for name in spec.inputs]
        known[one.column] = spec.function(*inputs, **dict(one.params))
    return known[one.column]
