"""What a strategy is: it knows no broker, no cash and no clock, so the same object serves backtest and paper trading."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from itertools import count
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.features import Context, Use, compute
from domain.params import build
from domain.registry import Registry
from domain.strategies.lacking import refuse_lacking

T = TypeVar("T")


class Strategy(Protocol):
    """``memory``, where it says so: its signals at bar *t* from the last ``memory`` rows of the frame, bars and features beside them, are those
    from all rows, byte for byte. ``domain.strategies.columns.OnColumns`` is the base of one that decides on plain numpy columns.
    ``required``, where it says so: names of its features without which it never gives a signal; ``optional``: of those that may have no value."""

    def features(self) -> tuple[Use, ...]:
        """The columns it needs beside the bars."""

    def signals(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One row per signal, in columns of domain.trading.signals; a row decided at bar t uses rows up to t."""


STRATEGIES: Registry[type] = Registry("strategy")


def strategy(name: str) -> Callable[[type[T]], type[T]]:
    """Register a frozen dataclass of ``param`` fields as the strategy ``name``."""

    def register(cls: type[T]) -> type[T]:
        if not is_dataclass(cls):
            raise TypeError(f"{cls.__name__} is no dataclass; write @dataclass(frozen=True) between @strategy({name!r}) and the class")
        bare = [each.name for each in fields(cls) if each.init and each.default is MISSING and each.default_factory is MISSING]
        if bare:
            raise TypeError(f"{cls.__name__}.{bare[0]} has no default; write {bare[0]} = param(default, help=…)")
        STRATEGIES.add(name, cls)
        return cls

    return register


def make(name: str, params: Mapping[str, Any]) -> Strategy:
    """The strategy ``name`` with ``params`` over its defaults, checked."""
    return build(STRATEGIES[name], params)


def about(name: str) -> str:
    """What a strategy does, in one sentence."""
    return (inspect.getdoc(STRATEGIES[name]) or "").split("\n\n")[0].replace("\n", " ")


def name_of(strategy: Strategy) -> str:
    """The name under which a strategy is registered; that of its class where it is not."""
    return next((name for name, cls in STRATEGIES.items() if cls is type(strategy)), type(strategy).__name__)


def own_name(strategy: Strategy) -> str:
    """The name that people call a strategy by: of a written one its own."""
    return str(getattr(strategy, "name", "") or name_of(strategy))


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once: its second use is numbered.

    >>> distinct(["breakout", "momentum", "breakout"])
    ('breakout', 'momentum', 'breakout 2')
    """
    given: list[str] = []
    for name in names:
        numbered = (f"{name} {number}" for number in count(2))
        given.append(name if name not in given else next(each for each in numbered if each not in given))
    return tuple(given)


def reads_forecasts(name: str) -> bool:
    """Whether the strategy of this name decides on a model's forecasts; a model named beside it gives those and filters nothing."""
    return name in STRATEGIES and bool(getattr(STRATEGIES[name], "needs_forecasts", False))


def uses_of(strategy: Strategy) -> tuple[Use, ...]:
    """The columns that a strategy needs, checked to be some."""
    given, name = strategy.features(), type(strategy).__name__
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise BadRequest(f"{name}.features gave {given!r}; it must give a tuple such as (use('atr', window=14),), or () for none")
    uses = tuple(given)
    if wrong := [use for use in uses if not isinstance(use, Use)]:
        raise BadRequest(f"{name}.features gave {wrong[0]!r}; write use('atr', window=14), with use from domain.features")
    return uses


def memory_of(strategy: Strategy) -> int | None:
    """How many of the latest rows decide the last one; None for a strategy that does not say so and needs all of them."""
    memory = getattr(strategy, "memory", None)
    if memory is not None and (not isinstance(memory, int) or isinstance(memory, bool) or memory < 1):
        raise BadRequest(f"memory of {type(strategy).__name__} is {memory!r}; it must be a whole number of rows, 1 or more")
    return memory


def unfiltered(strategy: Strategy) -> Strategy:
    """The strategy without what a model decides about its signals: that on which the model was trained."""
    without = getattr(strategy, "unfiltered", None)
    return without() if without else strategy


def refuse_without_model(strategy: Strategy, named: bool) -> None:
    """Raises BadRequest where a strategy leaves its signals to a model and none is named."""
    if not named and getattr(strategy, "needs_model", False):
        raise BadRequest(f"{name_of(strategy)} leaves its signals to a model, and no model is named for the run; name one that was trained on them, or choose another filter")


class Decided(NamedTuple):
    """The decisions of a strategy: its table of signals as it made it, and a trailing price a bar where it has one."""

    table: pd.DataFrame
    trail: np.ndarray | None


def decide(strategy: Strategy, bars: pd.DataFrame, context: Context, frame: pd.DataFrame | None = None, part: bool = False) -> Decided:
    """The signals of ``strategy`` on ``bars``; ``frame`` is what ``compute`` gives for its features, where that is there already.

    Raises BadRequest for a signal from a bar on which one of its features has no value yet, and where the bars lack what it cannot do without,
    unless they are a ``part`` of some that may have it.
    """
    others = context.others if frame is None else None
    frame = compute(bars, uses_of(strategy), context) if frame is None else frame
    if not part:
        refuse_lacking(name_of(strategy), strategy, bars, frame, others)
    table = _signals_of(strategy, frame)
    _refuse_warm_up(strategy, bars, frame, table)
    trail = getattr(strategy, "trail_price", None)
    return Decided(table, np.asarray(trail(frame), np.float64) if trail else None)


def _signals_of(strategy: Strategy, frame: pd.DataFrame) -> pd.DataFrame:
    table, name = strategy.signals(frame), type(strategy).__name__
    if not isinstance(table, pd.DataFrame):
        raise BadRequest(f"{name}.signals gave {'nothing' if table is None else f'a {type(table).__name__}'}; it must give a DataFrame with a row for each signal")
    if "ts" not in table:
        raise BadRequest(f"{name}.signals gave the columns {listed(table.columns) or 'none'}; each signal needs at least ts and side")
    if len(table) and not isinstance(table["ts"].dtype, pd.DatetimeTZDtype):
        raise BadRequest(f"{name}.signals gave a ts that holds no times in UTC ({table['ts'].dtype}); take those of the frame, frame['ts']")
    return table


def _refuse_warm_up(strategy: Strategy, bars: pd.DataFrame, frame: pd.DataFrame, table: pd.DataFrame) -> None:
    """Only the first entry is checked, as an exit of nothing does nothing."""
    entries = table[(table["order"] != "exit").to_numpy(bool)] if "order" in table else table
    if len(entries):
        refuse_before(strategy, frame, int(bars["ts"].searchsorted(entries["ts"].min(), side="right")) - 1)


def refuse_before(strategy: Strategy, frame: pd.DataFrame, first: int) -> None:
    """Raises BadRequest where the first entry is decided at a row on which a feature has no value yet. A column that never has one (bars without volume) has no
    warm-up, nor has one that the strategy does without."""
    for feature in strategy.features():
        if feature.name in getattr(strategy, "optional", ()):
            continue
        column = frame[feature.column].to_numpy()
        if np.isnan(column[: first + 1]).all() and not np.isnan(column).all():
            raise BadRequest(
                f"{type(strategy).__name__} gives a signal at {frame['ts'].iloc[max(first, 0)]:%Y-%m-%d %H:%M} UTC, inside the warm-up of {feature.column}: "
                "it may not decide on a bar whose features have no value yet; let it wait until they have"
            )
