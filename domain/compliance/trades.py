"""The trades of a path as columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed

NEEDED = ("instrument", "side", "lots", "entry_ts", "entry_price", "exit_ts", "exit_price", "pnl")
SIDES = {"long": 1, "buy": 1, "short": -1, "sell": -1}
YEARS = (1970, 2099)  # that every clock of a day knows
OPEN = np.iinfo(np.int64).max  # the exit of a trade that is still open


@dataclass(frozen=True)
class Trades:
    """One row a trade, in order of entry. ``exit_ts`` is ``OPEN`` while a trade is open; ``stop`` is NaN where there is none."""

    id: np.ndarray  # as the table gives it, object
    instrument: np.ndarray  # names, object
    side: np.ndarray  # 1 long, -1 short
    lots: np.ndarray
    entry_ts: np.ndarray  # UTC nanoseconds
    entry_price: np.ndarray
    exit_ts: np.ndarray
    exit_price: np.ndarray
    stop: np.ndarray  # price of the initial stop
    gross: np.ndarray  # account currency, before costs and swap; NaN where it is not known
    pnl: np.ndarray  # account currency
    reason: np.ndarray  # of the exit, object

    def __len__(self) -> int:
        return len(self.id)

    def rows(self, chosen: np.ndarray) -> Trades:
        return Trades(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def as_of(self, ts: int) -> Trades:
        """What was known at an instant: exits after it have not happened."""
        later = self.exit_ts > ts
        return replace(self, exit_ts=np.where(later, OPEN, self.exit_ts)) if later.any() else self


def joined(a: Trades, b: Trades) -> Trades:
    """Both, in order of entry."""
    if not len(b):
        return a
    both = Trades(*(np.concatenate([getattr(a, f.name), getattr(b, f.name)]) for f in fields(a)))
    return both.rows(np.argsort(both.entry_ts, kind="stable"))


def none() -> Trades:
    words, numbers, times = np.zeros(0, object), np.zeros(0), np.zeros(0, np.int64)
    return Trades(words, words, times, numbers, times, numbers, times, numbers, numbers, numbers, numbers, words)


def trades_of(table: pd.DataFrame) -> Trades:
    """The trades of a table with the columns of ``tidemark backtest``; further columns are ignored.

    An empty ``exit_ts`` is a trade that is still open. Raises BadRequest with the row of what cannot be read.
    """
    if missing := [name for name in NEEDED if name not in table]:
        raise BadRequest(
            f"the trades have no {listed(missing)}; they need the columns of tidemark backtest: {', '.join(NEEDED)}"
        )
    table = table.reset_index(drop=True)
    exits = _times(table, "exit_ts", empty=True)
    columns = dict(
        id=_ids(table),
        instrument=_words(table, "instrument"), side=_sides(table), lots=_numbers(table, "lots"),
        entry_ts=_times(table, "entry_ts"), entry_price=_numbers(table, "entry_price"),
        exit_ts=exits, exit_price=_numbers(table, "exit_price", empty=True), stop=_optional(table, "stop_loss"),
        gross=_optional(table, "pnl_gross"), pnl=_numbers(table, "pnl", empty=True), reason=_words(table, "exit_reason"),
    )  # fmt: skip
    trades = Trades(**columns)
    _check(trades)
    return trades.rows(np.argsort(trades.entry_ts, kind="stable"))


def _ids(table: pd.DataFrame) -> np.ndarray:
    """Whole numbers where all of them are, else as they are written; the number of the row where the table has none."""
    if "trade_id" not in table:
        return np.arange(1, len(table) + 1).astype(object)
    written = table["trade_id"].astype(object)
    integer = written.map(lambda each: str(each).isdecimal() and len(str(each)) < 19 and str(int(each)) == str(each))
    return np.array([int(each) for each in written], object) if integer.all() else written.to_numpy()


def _check(trades: Trades) -> None:
    for bad, sentence in (
        (trades.exit_ts < trades.entry_ts, "ends before it begins"),
        (~(trades.lots > 0), "has no lots above 0"),
        ((trades.exit_ts < OPEN) & np.isnan(trades.pnl), "is closed and has no pnl"),
    ):
        if bad.any():
            raise BadRequest(f"row {int(bad.argmax()) + 1} of the trades {sentence}; correct the file")


def _times(table: pd.DataFrame, name: str, empty: bool = False) -> np.ndarray:
    column = table[name]
    if not pd.api.types.is_datetime64_any_dtype(column):
        column = pd.to_datetime(
            column.astype(object).where(column.notna(), None), utc=True, format="ISO8601", errors="coerce"
        )
    column = column.dt.tz_localize("UTC") if column.dt.tz is None else column.dt.tz_convert("UTC")
    column = column.where(column.dt.year.between(*YEARS))
    blank = table[name].isna().to_numpy() | (table[name].astype(str).str.strip() == "").to_numpy()
    bad = column.isna().to_numpy() & ~(blank if empty else np.zeros(len(table), bool))
    if bad.any():
        row = int(bad.argmax())
        raise BadRequest(
            f"row {row + 1} of the trades: {name} is {_cell(table[name].iloc[row])}; write it in ISO "
            f"8601, such as 2024-01-31T08:00Z, from {YEARS[0]} to {YEARS[1]}"
        )
    values = column.dt.as_unit("ns").astype("int64").to_numpy(copy=True)
    values[column.isna().to_numpy()] = OPEN
    return values


def _numbers(table: pd.DataFrame, name: str, empty: bool = False) -> np.ndarray:
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(float)
    blank = table[name].isna().to_numpy() | (table[name].astype(str).str.strip() == "").to_numpy()
    bad = ~np.isfinite(values) & ~(blank if empty else np.zeros(len(table), bool))
    if bad.any():
        row = int(bad.argmax())
        raise BadRequest(f"row {row + 1} of the trades: {name} is {_cell(table[name].iloc[row])}; it must be a number")
    return values


def _optional(table: pd.DataFrame, name: str) -> np.ndarray:
    return _numbers(table, name, empty=True) if name in table else np.full(len(table), np.nan)


def _words(table: pd.DataFrame, name: str) -> np.ndarray:
    if name not in table:
        return np.full(len(table), "", object)
    return table[name].astype(object).where(table[name].notna(), "").map(str).to_numpy(object)


def _sides(table: pd.DataFrame) -> np.ndarray:
    words = table["side"].astype(str).str.strip().str.lower()
    sides = words.map(SIDES)
    if sides.isna().any():
        row = int(sides.isna().to_numpy().argmax())
        raise BadRequest(
            f"row {row + 1} of the trades: side is {_cell(table['side'].iloc[row])}; it must be long or short"
        )
    return sides.to_numpy(np.int64)


def _cell(value: Any) -> str:
    return "empty" if pd.isna(value) or not str(value).strip() else repr(str(value))
