"""Finer bars, for what happens inside a bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from domain.backtest.series import NO_BARS, Bars, joined, nanoseconds, on_grid, spread_of
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.task import Task

PRICES = ("open", "high", "low", "close", "spread")


def finer_bars(tasks: Sequence[Task], bars: Sequence[Bars], costs: Costs, execution: Execution) -> dict[str, np.ndarray]:
    """First and last index of each bar's finer bars: those with ts in [its ts, its end). One empty place each where nothing is magnified."""
    if execution.intrabar != "magnify":
        return dict(finer_first=np.zeros(1, np.int64), finer_last=np.zeros(1, np.int64), finer_off=np.zeros(1, np.int8), **{f"finer_{name}": np.zeros(0) for name in PRICES})
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("first", "last", "off", *PRICES)}
    offset = 0
    for task, own_bars in zip(tasks, bars, strict=True):
        finer = _read(task, task.finer, costs) if task.finer is not None else NO_BARS
        first, last = (np.searchsorted(finer.ts, at) if len(finer.ts) else np.zeros(len(at), np.int64) for at in (own_bars.ts, own_bars.end))
        columns["first"].append(first + offset)
        columns["last"].append(last + offset)
        columns["off"].append(_off(task, own_bars, finer, first, last))
        for name in ("open", "high", "low", "close"):
            columns[name].append(getattr(finer, name))
        columns["spread"].append(finer.spread)
        offset += len(finer.ts)
    kinds = dict(first=np.int64, last=np.int64, off=np.int8)
    return {f"finer_{name}": joined(parts).astype(kinds.get(name, np.float64), copy=False) for name, parts in columns.items()}


def _read(task: Task, frame: pd.DataFrame, costs: Costs) -> Bars:
    ts = np.ascontiguousarray(nanoseconds(frame["ts"]))
    open_, high, low, close = (frame[name].to_numpy(np.float64) for name in ("open", "high", "low", "close"))
    return Bars(ts, ts, open_, high, low, close, spread_of(frame, task.instrument, task.timeframe, costs))


def _off(task: Task, bars: Bars, finer: Bars, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Bars whose high or low differs by more than a tick from that of their finer bars."""
    off = np.zeros(len(bars.ts), np.int8)
    seen = np.flatnonzero(first < last)
    if len(seen):
        edges = np.stack([first[seen], last[seen]], axis=1).ravel()
        edges = edges[:-1] if edges[-1] == len(finer.ts) else edges
        high, low = np.maximum.reduceat(finer.high, edges)[::2], np.minimum.reduceat(finer.low, edges)[::2]
        off[seen] = on_grid(np.maximum(np.abs(high - bars.high[seen]), np.abs(low - bars.low[seen]))) > on_grid(np.array(task.instrument.tick))
    return off
