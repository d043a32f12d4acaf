"""Signals by the bar that decided them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.plans import Plans, Table
from domain.backtest.series import Bars, joined, on_grid
from domain.backtest.state import ORDERS, SIGNAL
from domain.errors import BadRequest
from domain.risk.sizing import Sizing
from domain.trading.signals import one_word
from domain.trading.task import Task


def signal_table(tasks: Sequence[Task], tables: Sequence[Table], bars: Sequence[Bars], offsets: np.ndarray, plans: Plans) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    parts = [_signals_of(task, table, one, plans.of_task[k]) for k, (task, table, one) in enumerate(zip(tasks, tables, bars, strict=True))]
    bar = np.concatenate([bar + offset for (_, bar, _), offset in zip(parts, offsets, strict=False)])
    counted = np.bincount(bar, minlength=offsets[-1])
    return dict(signals=joined([table for table, _, _ in parts]), signal_first=np.concatenate(([0], np.cumsum(counted)))), [tags for _, _, tags in parts]


def _signals_of(task: Task, given: Table, bars: Bars, plan: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The signals of a task by the bar that decided them, within a bar in their order; those bars; the names of the tags."""
    rows = len(given["ts"])
    bar = _bar_of(task, given["ts"].as_unit("ns").asi8, bars.ts)
    if task.trail_price is None and "quantile" in coded(given["trail_kind"])[1]:
        raise BadRequest("trail_kind quantile follows prices that a strategy gives bar by bar; a table of signals cannot. Use points, percent or atr")
    table = np.zeros(rows, SIGNAL)
    table["number"], table["lots"], table["side"], table["plan"] = np.arange(rows), given["lots"], given["side"], plan
    table["order"] = _order_numbers(given["order"])
    table["tag"], tags = coded(given["tag"])
    table["oco"] = _groups(given["oco"])
    table["price"], table["stop"] = _prices(given["price"]), _prices(given["stop_loss"])
    for t in range(4):
        table["target"][:, t] = _prices(given[f"target_{t + 1}"])
    if bool((np.diff(bar) >= 0).all()):
        return table, bar, np.asarray(tags, dtype=object)
    order = np.argsort(bar, kind="stable")
    return table[order], bar[order], np.asarray(tags, dtype=object)


def _prices(column: np.ndarray) -> np.ndarray:
    return on_grid(column)


def coded(words: Any) -> tuple[np.ndarray, Sequence[str]]:
    """The number of each word, and the words by number."""
    return (np.broadcast_to(0, len(words)), [words[0]]) if one_word(words) else pd.factorize(words)


def _order_numbers(words: Any) -> np.ndarray:
    codes, names = coded(words)
    return np.array([ORDERS.index(name) for name in names], np.int8)[codes] if len(names) else np.zeros(0, np.int8)


def _groups(words: Any) -> np.ndarray:
    """A number above 0 for each group of orders that cancel one another, 0 for an order in none."""
    codes, names = coded(words)
    number = np.zeros(len(names), np.int64)
    named = [k for k, name in enumerate(names) if name]
    number[named] = np.arange(1, len(named) + 1)
    return number[codes] if len(names) else np.zeros(0, np.int64)


def _bar_of(task: Task, decided: np.ndarray, ts: np.ndarray) -> np.ndarray:
    bar = np.searchsorted(ts, decided)
    lost = (bar == len(ts)) | (ts[np.minimum(bar, len(ts) - 1)] != decided)
    if lost.any():
        row = int(np.flatnonzero(lost)[0])
        when = pd.Timestamp(decided[row], tz="UTC")
        raise BadRequest(f"row {row + 1} of the signals: {when:%Y-%m-%d %H:%M:%S} UTC is not the open of a bar of {task.instrument.name} {task.timeframe}")
    return bar


def brief(signals: np.ndarray, plans: np.ndarray, sizing: Sizing) -> np.ndarray:
    """What a signal is in one number, for bars on which all of them are dropped for their tag."""
    asks = (plans["needs_stop"] != 0)[signals["plan"]] | (sizing.kind in ("fraction_at_risk", "kelly"))
    plain = (signals["order"] == 0) & np.isnan(signals["lots"]) & ~(asks & np.isnan(signals["stop"]))
    return (signals["side"] > 0) * 1 + plain * 2 + (signals["tag"].astype(np.int64) << 2)
