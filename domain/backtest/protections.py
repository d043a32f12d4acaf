"""Stops and targets of signals, as the kernel reads them: one protection for all signals that share it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest import kernel
from domain.backtest.clocks import NEVER, flat_moments
from domain.backtest.series import Bars
from domain.backtest.state import PROTECTION, TRAILS
from domain.trading.costs import Costs
from domain.trading.signals import Columns, one_word
from domain.trading.task import Task

PROTECTION_NUMBERS = (
    "fraction_1", "fraction_2", "fraction_3", "fraction_4", "target_r_1", "target_r_2", "target_r_3", "target_r_4", "break_even_r", "break_even_offset",
    "trail_value", "trail_window", "trail_start_r", "max_bars", "valid_bars", "grid_spacing", "grid_max_adds", "grid_first_factor", "grid_lots_factor",
    "grid_basket_target",
)  # fmt: skip
PROTECTION_WORDS = ("trail_kind", "flat_by")
Table = Columns         # of signals


class Protections:
    """The distinct ways in which signals are protected; most tables have one, so it is stored once."""

    def __init__(self, tasks: Sequence[Task], tables: Sequence[Table], bars: Sequence[Bars], costs: Costs) -> None:
        self.windows: list[int] = [costs.slippage_window] if costs.slippage_kind == "atr" else []
        self.flats: list[tuple[int, str]] = []
        self.rows: list[np.ndarray] = []
        self.of_task = [self._of(k, table) for k, table in enumerate(tables)]
        self.table = np.concatenate(self.rows) if self.rows else np.zeros(1, PROTECTION)
        self.flat_at, self.shut_at = self._moments(tasks, bars)
        self.atr = self._atr(bars)

    def window(self, length: int) -> int:
        if length not in self.windows:
            self.windows.append(length)
        return self.windows.index(length)

    def inputs(self) -> dict[str, np.ndarray]:
        return dict(protections=self.table, flat_at=self.flat_at, shut_at=self.shut_at, atr=self.atr)

    def _of(self, k: int, signals: Table) -> np.ndarray:
        """The number of each signal's protection."""
        rows = len(signals["ts"])
        if not rows:
            return np.zeros(0, np.int32)
        columns = {name: signals[name] for name in (*PROTECTION_NUMBERS, *PROTECTION_WORDS)}
        varying, start = [column for column in columns.values() if not constant(column)], sum(len(part) for part in self.rows)
        if not varying:
            self.rows.append(self._protection(k, {name: column[0] for name, column in columns.items()}))
            return np.broadcast_to(np.int32(start), rows)
        number = _numbered(varying, rows)
        firsts = np.unique(number, return_index=True)[1]
        self.rows.append(np.concatenate([self._protection(k, {name: column[first] for name, column in columns.items()}) for first in firsts.tolist()]))
        return (number + start).astype(np.int32)

    def _protection(self, k: int, row: Mapping[str, Any]) -> np.ndarray:
        row = {name: value if name in PROTECTION_WORDS else float(value) for name, value in row.items()}
        window = self.window(int(row["trail_window"])) if row["trail_kind"] == "atr" else 0
        return protection_of(row, window, self._flat(k, row["flat_by"]) if row["flat_by"] else -1)

    def _flat(self, k: int, text: str) -> int:
        if (k, text) not in self.flats:
            self.flats.append((k, text))
        return self.flats.index((k, text))

    def _moments(self, tasks: Sequence[Task], bars: Sequence[Bars]) -> tuple[np.ndarray, np.ndarray]:
        if not self.flats:
            return np.full((1, 1), NEVER), np.full((1, 1), NEVER)
        offsets = np.concatenate(([0], np.cumsum([len(own_bars.ts) for own_bars in bars])))
        at, shut = (np.full((len(self.flats), offsets[-1]), NEVER) for _ in range(2))
        for number, (k, text) in enumerate(self.flats):
            here = slice(offsets[k], offsets[k + 1])
            at[number, here], shut[number, here] = flat_moments(text, bars[k].ts, tasks[k].timeframe, tasks[k].instrument.calendar)
        return at, shut

    def _atr(self, bars: Sequence[Bars]) -> np.ndarray:
        if not self.windows:
            return np.full((1, 1), np.nan)
        table = np.empty((len(self.windows), sum(len(own_bars.ts) for own_bars in bars)))
        for number, window in enumerate(self.windows):
            first = 0
            for own_bars in bars:
                kernel.wilder_atr(own_bars.high, own_bars.low, own_bars.close, window, table[number, first : first + len(own_bars.ts)])
                first += len(own_bars.ts)
        return table


def protection_of(row: Mapping[str, Any], window: int, flat: int) -> np.ndarray:
    """The record of one protection. ``window``, ``flat``: rows of the tables of ATR and of moments to be flat."""
    protection = np.zeros(1, PROTECTION)
    protection["fraction"] = [_or(row[f"fraction_{t}"], 0.0) for t in range(1, 5)]
    protection["target_r"] = targets = [row[f"target_r_{t}"] for t in range(1, 5)]
    protection["break_even_r"], protection["break_even_offset"] = row["break_even_r"], _or(row["break_even_offset"], 0.0)
    protection["trail_kind"], protection["trail_value"], protection["trail_start_r"] = TRAILS.index(row["trail_kind"]), row["trail_value"], row["trail_start_r"]
    protection["trail_atr"], protection["flat"] = window, flat
    protection["max_bars"], protection["valid_bars"] = int(_or(row["max_bars"], 0)), int(_or(row["valid_bars"], 0))
    protection["is_grid"], protection["grid_adds"] = row["grid_spacing"] == row["grid_spacing"], int(_or(row["grid_max_adds"], 0))
    protection["grid_spacing"], protection["grid_basket"] = row["grid_spacing"], row["grid_basket_target"]
    protection["grid_first"], protection["grid_factor"] = _or(row["grid_first_factor"], row["grid_lots_factor"]), row["grid_lots_factor"]
    protection["needs_stop"] = row["break_even_r"] == row["break_even_r"] or row["trail_start_r"] > 0 or any(target > 0 for target in targets)
    return protection


def table_of(signals: pd.DataFrame | Table) -> Table:
    """The columns by name, read from the frame once: numpy arrays of numbers, pandas' arrays of times and words."""
    if not isinstance(signals, pd.DataFrame):
        return signals
    return {str(name): column.to_numpy() if column.dtype.kind in "iuf" else column.array for name, column in signals.items()}


def constant(column: Any) -> bool:
    if not isinstance(column, np.ndarray):
        return one_word(column) or len(pd.factorize(column)[1]) == 1
    if column.strides == (0,):      # one number, read again at every row
        return True
    return bool(np.isnan(column).all() if np.isnan(column[0]) else (column == column[0]).all())


def _numbered(columns: Sequence[Any], rows: int) -> np.ndarray:
    """A number for each distinct row, from 0 in the order of their first places."""
    number = np.zeros(rows, np.int64)
    for column in columns:
        codes, values = pd.factorize(column, use_na_sentinel=False)
        number = pd.factorize(number * len(values) + codes)[0]
    return number


def _or(value: float, default: float) -> float:
    return default if math.isnan(value) else value
