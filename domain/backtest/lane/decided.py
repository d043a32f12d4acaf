"""Decisions as columns: those of a strategy on columns as it gives them, any other's as they were read. What decides the same is decided once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.backtest.lane.orders import Entries, Orders, orders_of_rows, orders_of_signals
from domain.backtest.study import Series
from domain.params import values_of
from domain.strategies import Strategy
from domain.strategies.base import name_of, refuse_before
from domain.strategies.columns import OnColumns, Rows, columns_of
from domain.strategies.lacking import refuse_lacking
from domain.trading.signals import Columns as Signals

NO_BARS = np.zeros(0, np.int64)
SIGNALS, DECISIONS = OnColumns.signals, OnColumns.decisions     # which a strategy may replace by its own


class Moves(NamedTuple):
    """The entries of a strategy, and what they follow from: all but the parameters that only protect."""

    key: Any
    columns: Mapping[str, np.ndarray]
    rows: tuple[np.ndarray, np.ndarray]     # and side, in all the bars that features read
    entries: Entries                        # in the traded ones


class Decider:
    """Keeps the columns of the last frame, and the last decisions."""

    def __init__(self) -> None:
        self._names, self._columns = tuple[str, ...](), dict[str, np.ndarray]()
        self._moves: Moves | None = None

    def once_more(self, strategy: Strategy) -> Orders | None:
        """The orders of a strategy that differs from the one before only in parameters that move no decision; None for any other."""
        moves = self._moves
        if moves is None or not isinstance(strategy, OnColumns) or moves.key != _key(strategy):
            return None
        bar, side = moves.rows
        return _orders(moves.entries, dict(bar=bar, side=side, **strategy.protected(moves.columns, bar, side)))

    def of_columns(self, strategy: Strategy, series: Series, frame: pd.DataFrame) -> Orders | None:
        """None for a strategy that does not decide on columns, or decides more than orders of one kind."""
        if not isinstance(strategy, OnColumns) or hasattr(strategy, "trail_price") or type(strategy).signals is not SIGNALS:
            return None
        refuse_lacking(name_of(strategy), strategy, series.seen, frame)
        columns = self._columns_of(frame)
        if strategy.protection and type(strategy).decisions is DECISIONS:
            return self._moved(strategy, series, frame, columns)
        decided = strategy.decisions(columns)
        split = _split(decided if isinstance(decided, tuple) else (decided,))
        if split is None:
            return None
        rows, exits = split
        entries = _entries(np.asarray(rows["bar"]), rows["side"], exits, series)
        if len(rows["bar"]):
            refuse_before(strategy, frame, int(rows["bar"][0]))
        return None if entries is None else _orders(entries, rows)

    def _moved(self, strategy: OnColumns, series: Series, frame: pd.DataFrame, columns: Mapping[str, np.ndarray]) -> Orders | None:
        """Decided anew, for a parameter has changed that moves decisions."""
        bar, side = strategy.entries(columns)
        if len(bar):
            refuse_before(strategy, frame, int(bar[0]))
        entries = _entries(bar, side, NO_BARS, series)
        if entries is None:
            return None
        self._moves = Moves(_key(strategy), columns, (bar, side), entries)
        return self.once_more(strategy)

    def _columns_of(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        """The columns of this frame. Those of one with the same names are the same arrays."""
        if self._names != tuple(frame):
            self._names, self._columns = tuple(frame), columns_of(frame)
        return dict(self._columns)

    @staticmethod
    def of_signals(signals: tuple[Signals, np.ndarray | None], series: Series) -> Orders | None:
        """The same of signals that were read."""
        columns, trail = signals
        ts, decided = series.bars["ts"].array.as_unit("ns").asi8, columns["ts"].as_unit("ns").asi8
        bar = np.searchsorted(ts, decided)
        if trail is not None or not np.array_equal(ts[np.minimum(bar, len(ts) - 1)], decided):
            return None
        return orders_of_signals(bar, columns)


def _split(parts: tuple[Rows, ...]) -> tuple[Rows, np.ndarray] | None:
    """The one part that enters, and the bars of those that leave; None where they are tagged apart, or there are several."""
    leaves = [part for part in parts if isinstance(part.get("order"), str) and part["order"] == "exit"]
    enters = [part for part in parts if not any(part is other for other in leaves)]
    tags = [part.get("tag", "") for part in parts]
    if len(enters) != 1 or any(not isinstance(tag, str) or tag != tags[0] for tag in tags):
        return None
    return enters[0], np.sort(np.concatenate([part["bar"] for part in leaves])) if leaves else NO_BARS


def _entries(bar: np.ndarray, side: Any, exits: np.ndarray, series: Series) -> Entries | None:
    """Entries and exits on the traded bars; None where they are in no order, or sides are none."""
    side = np.broadcast_to(side, bar.shape)
    if bar.dtype.kind not in "iu" or side.dtype.kind not in "iuf" or np.any(np.diff(bar) < 0) or not np.all(np.abs(side) == 1) or (len(bar) and not 0 <= bar[0] <= bar[-1] < len(series.seen)):
        return None
    first, exits = int(np.searchsorted(bar, series.bars_of_history)), exits[np.searchsorted(exits, series.bars_of_history) :]
    return Entries(bar[first:] - series.bars_of_history, side[first:].astype(np.int8), exits - series.bars_of_history, len(bar) - first + len(exits))


def _key(strategy: OnColumns) -> Any:
    """What its decisions follow from."""
    return type(strategy), tuple((name, value) for name, value in values_of(strategy).items() if name not in strategy.protection)


def _orders(entries: Entries, rows: Rows) -> Orders | None:
    """Of all rows, those on the traded bars."""
    shape, first = rows["bar"].shape, len(rows["bar"]) - len(entries.bar)
    if first:
        rows = {name: value[first:] if isinstance(value, np.ndarray) and value.shape == shape else value for name, value in rows.items()}
    return orders_of_rows(entries, rows)


def within_bars(orders: Orders, first: int, last: int) -> Orders:
    """The orders decided on the bars from ``first`` to ``last``, counted from there."""
    entries = orders.entries
    low, high = (int(np.searchsorted(entries.bar, edge)) for edge in (first, last))
    leave, stay = (int(np.searchsorted(entries.exits, edge)) for edge in (first, last))
    cut = replace(entries, bar=entries.bar[low:high] - first, side=entries.side[low:high], exits=entries.exits[leave:stay] - first, rows=high - low + stay - leave)
    return Orders(cut, {name: number[low:high] if isinstance(number, np.ndarray) else number for name, number in orders.levels.items()})
