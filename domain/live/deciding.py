"""A strategy that decides bar by bar: its features grow with the bars, its signals are those that it gives on all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features import Context, compute
from domain.features.base import BAR_COLUMNS
from domain.features.stream import Earlier, Stream
from domain.strategies import OnColumns, Strategy, memory_of
from domain.strategies.base import name_of, refuse_without_model, uses_of
from domain.strategies.deciding import decide_last
from domain.trading.signal_row import Row


def streamable(strategy: Strategy, filtered: bool = False) -> OnColumns:
    """The strategy itself, where it can decide bar by bar; else BadRequest that names it. ``filtered``: a model decides about its signals.

    >>> class Last:
    ...     def features(self): return ()
    ...     def signals(self, frame): return frame
    >>> streamable(Last())
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: Last decides on a whole table of bars, not on columns, so it cannot decide bar by bar; derive it from OnColumns, and give it memory and decisions
    """
    name = name_of(strategy)
    if not isinstance(strategy, OnColumns) or memory_of(strategy) is None:
        raise BadRequest(f"{name} decides on a whole table of bars, not on columns, so it cannot decide bar by bar; derive it from OnColumns, and give it memory and decisions")
    if getattr(strategy, "trail_price", None) is not None:
        raise BadRequest(f"{name} gives a trailing price for a whole table of bars, so it cannot decide bar by bar; use a trail of points, percent or atr")
    refuse_without_model(strategy, filtered)
    return strategy


class Deciding:
    """``strategy`` on one series. ``bars``: those that have ended, which it has seen and does not decide on again. ``filtered``: as ``streamable``.

    >>> from domain.market.bars import frame
    >>> from domain.market.timeframe import Timeframe
    >>> from domain.strategies.momentum import Momentum
    >>> price = 1.1 + np.sin(np.arange(200) / 9) / 100
    >>> bars = frame(np.arange(200) * 300_000_000_000, open=price, high=price + 0.001, low=price - 0.001, close=price)
    >>> deciding = Deciding(Momentum(), bars.iloc[:150], Context(timeframe=Timeframe.named("M5")))
    >>> sum(len(deciding.ended(bar)) for bar in bars.iloc[150:].to_dict("records"))
    1
    """

    def __init__(self, strategy: Strategy, bars: pd.DataFrame, context: Context = Context(), filtered: bool = False) -> None:
        self.strategy = streamable(strategy, filtered)
        self._columns = Growing(strategy, bars, context)

    def ended(self, bar: Mapping[str, Any], others: Mapping[str, float] = {}, macro: Mapping[str, float] = {}, earlier: Earlier | None = None) -> list[Row]:
        """The signals of a bar that has just ended, in their order. ``others``: closes of other instruments, ``macro``: external series, as known now;
        ``earlier``: both as known at an instant before."""
        return decide_last(self.strategy, self._columns.ended(bar, others, macro, earlier))


class Growing:
    """The columns that ``strategy`` decides on: of the bars and of its features, its last ``memory`` rows."""

    def __init__(self, strategy: Strategy, bars: pd.DataFrame, context: Context = Context()) -> None:
        uses = uses_of(strategy)
        try:
            self._stream = Stream(bars, uses, context)
        except BadRequest as error:
            raise BadRequest(f"{name_of(strategy)} cannot decide bar by bar: {error}") from None
        frame = compute(bars, uses, context)
        names = [*BAR_COLUMNS, *(use.column for use in uses)]
        self._latest = Latest({name: frame[name].to_numpy(np.float64) if name in frame else np.full(len(bars), np.nan) for name in names}, memory_of(strategy) or 1)

    def ended(self, bar: Mapping[str, Any], others: Mapping[str, float] = {}, macro: Mapping[str, float] = {}, earlier: Earlier | None = None) -> dict[str, np.ndarray]:
        """They stay as they are when further bars end."""
        values = self._stream.append(bar, others, macro, earlier=earlier)
        self._latest.append([*(bar.get(name, np.nan) for name in BAR_COLUMNS), *values.values()])
        return self._latest.columns()


class Latest:
    """The last ``memory`` values of several columns, which grow together; what ``columns`` gave once stays as it is.

    >>> latest = Latest({"close": np.array([1.0, 2.0]), "ema": np.array([1.0, 1.5])}, memory=2)
    >>> latest.append([3.0, 2.5])
    >>> {name: column.tolist() for name, column in latest.columns().items()}
    {'close': [2.0, 3.0], 'ema': [1.5, 2.5]}
    """

    def __init__(self, columns: Mapping[str, np.ndarray], memory: int) -> None:
        self._names, self._memory = tuple(columns), memory
        last = [values[-memory:] for values in columns.values()]
        self._end = len(last[0])
        self._values = np.empty((len(last), 2 * memory + 16))
        self._values[:, : self._end] = last

    def append(self, row: Sequence[float]) -> None:
        if self._end == self._values.shape[1]:
            before, self._values = self._values, np.empty_like(self._values)
            self._values[:, : self._memory] = before[:, self._end - self._memory : self._end]
            self._end = self._memory
        self._values[:, self._end] = row
        self._end += 1

    def columns(self) -> dict[str, np.ndarray]:
        return dict(zip(self._names, self._values[:, max(self._end - self._memory, 0) : self._end], strict=True))
