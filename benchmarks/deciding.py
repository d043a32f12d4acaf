"""Strategies deciding one bar on ready columns, as live trading does: a bar that decides nothing, and one with a signal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.features import market
from benchmarks.timing import Row, steady
from domain.features import compute
from domain.strategies import STRATEGIES, OnColumns
from domain.strategies.columns import columns_of
from domain.strategies.deciding import decide_last

QUIET, SIGNAL = 50e-6, 200e-6
BARS, TIMES = 20_000, 2_001


def rows() -> Iterator[Row]:
    for name in STRATEGIES:
        strategy = STRATEGIES[name]()
        if isinstance(strategy, OnColumns):
            yield from _rows_of(name, strategy)


def _rows_of(name: str, strategy: OnColumns) -> Iterator[Row]:
    """The slowest bar of a few of each kind."""
    bars, context = market()
    frame = compute(bars.iloc[:BARS], strategy.features(), context)
    columns, table = columns_of(frame), strategy.signals(frame)
    deciding = np.unique(np.searchsorted(frame["ts"].array, table["ts"].array))
    silent = np.setdiff1d(np.arange(1_000, BARS), deciding)
    for what, places, goal in (("nothing", silent, QUIET), ("a signal", deciding[deciding >= strategy.memory], SIGNAL)):
        if not len(places):
            continue
        seconds = max(_seconds(strategy, columns, int(t)) for t in places[:: max(len(places) // 5, 1)][:5])
        yield Row(f"{name} decides {what} on one bar of ready columns", None, goal=f"{goal * 1e6:.0f} µs", holds=seconds <= goal, figure=f"{seconds * 1e6:.0f} µs")


def _seconds(strategy: OnColumns, columns: dict[str, np.ndarray], t: int) -> float:
    ready = {name: column[t + 1 - strategy.memory : t + 1].copy() for name, column in columns.items()}
    return steady(lambda: decide_last(strategy, ready), TIMES)
