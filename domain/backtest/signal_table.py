"""Signals by the bar that decided them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.kernel import layout
from domain.backtest.memory import address_of
from domain.backtest.protections import Protections, Table
from domain.backtest.series import Bars, joined
from domain.backtest.state import ORDERS, SIGNAL
from domain.errors import BadRequest
from domain.risk.sizing import BY_RISK, Sizing
from domain.trading.signals import one_word
from domain.trading.task import Task


def signal_table(tasks: Sequence[Task], tables: Sequence[Table], bars: Sequence[Bars], offsets: np.ndarray, protections: Protections) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    parts = [_signals_of(task, table, own_bars, protections.of_task[k]) for k, (task, table, own_bars) in enumerate(zip(tasks, tables, bars, strict=True))]
    bar = joined([bar + offset if offset else bar for (_, bar, _), offset in zip(parts, offsets, strict=False)])
    first = np.zeros(int(offsets[-1]) + 1, np.int64)
    layout.count_up(address_of(bar), len(bar), address_of(first), int(offsets[-1]))
    return dict(signals=joined([table for table, _, _ in parts]), signal_first=first, signal_last=first[1:]), [tags for _, _, tags in parts]


def _signals_of(task: Task, given: Table, bars: Bars, protection: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The signals of a task by the bar that decided them, within a bar in their order; those bars; the names of the tags."""
    rows = len(given["ts"])
    bar = _bar_of(task, given["ts"].as_unit("ns").asi8, bars.ts)
    if task.trail_price is None and "quantile" in coded(given["trail_kind"])[1]:
        raise BadRequest("trail_kind quantile follows prices that a strategy gives bar by bar; a table of signals cannot. Use points, percent or atr")
    tag, tags = coded(given["tag"])
    integers = [given["side"], protection, _order_numbers(given["order"]), tag, _groups(given["oco"])]
    numbers = [given[name] for name in ("lots", "price", "stop_loss", *(f"target_{t}" for t in range(1, 5)), "size")]
    columns = [_contiguous(column, np.int64) for column in integers] + [_contiguous(column, np.float64) for column in numbers]
    where = np.array([(address_of(column), len(column) == rows) for column in columns], np.int64)
    table = np.empty(rows, SIGNAL)
    layout.fill_signals(address_of(table), rows, address_of(where))
    if task.numbers is not None:
        table["number"] = task.numbers
    if bool((np.diff(bar) >= 0).all()):
        return table, bar, np.asarray(tags, dtype=object)
    order = np.argsort(bar, kind="stable")
    return table[order], bar[order], np.asarray(tags, dtype=object)


def _contiguous(column: np.ndarray, kind: type) -> np.ndarray:
    """A contiguous column as the kernel reads it: one value repeated at every row is stored once."""
    return np.ascontiguousarray(column[:1] if column.strides == (0,) else column, kind)


def coded(words: Any) -> tuple[np.ndarray, Sequence[str]]:
    """The number of each word, and the words by number."""
    return (np.broadcast_to(0, len(words)), [words[0]]) if one_word(words) else pd.factorize(words)


def _order_numbers(words: Any) -> np.ndarray:
    codes, names = coded(words)
    return _taken(np.array([ORDERS.index(name) for name in names]), codes)


def _groups(words: Any) -> np.ndarray:
    """A number above 0 for each group of orders that cancel one another, 0 for an order in none."""
    codes, names = coded(words)
    number = np.zeros(len(names), np.int64)
    named = [k for k, name in enumerate(names) if name]
    number[named] = np.arange(1, len(named) + 1)
    return _taken(number, codes)


def _taken(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """``values[codes]``, still one value where all codes are one."""
    return np.broadcast_to(values[codes[0]], len(codes)) if len(codes) and codes.strides == (0,) else values[codes] if len(values) else np.zeros(0, np.int64)


def _bar_of(task: Task, decided: np.ndarray, ts: np.ndarray) -> np.ndarray:
    decided, bar = np.ascontiguousarray(decided), np.empty(len(decided), np.int64)
    row = int(layout.bars_at(address_of(ts), len(ts), address_of(decided), len(decided), address_of(bar)))
    if row >= 0:
        when = pd.Timestamp(decided[row], tz="UTC")
        raise BadRequest(f"row {row + 1} of the signals: {when:%Y-%m-%d %H:%M:%S} UTC is not the open of a bar of {task.instrument.name} {task.timeframe}")
    return bar


def brief(signals: np.ndarray, protections: np.ndarray, sizing: Sizing) -> np.ndarray:
    """Each signal encoded in one number, for bars on which all of them are dropped for their tag."""
    needs, out = np.ascontiguousarray(protections["needs_stop"], np.int64), np.empty(len(signals), np.int64)
    layout.briefs(address_of(signals), len(signals), address_of(needs), sizing.kind in BY_RISK, address_of(out))
    return out
