"""A stretch of instants laid out for the rules: the whole path at once, or one instant after another, with what came before carried along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.compliance.day import DayClock
from domain.compliance.trades import OPEN, Trades, joined

BEFORE = np.iinfo(np.int64).min  # the instant before the first row


class Days(NamedTuple):
    """The trading days that have a row in the stretch, one element each."""

    first: np.ndarray  # their first row in the stretch
    number: np.ndarray  # row in the resets of the clock
    balance: np.ndarray  # at the reset: the last row at or before it; the initial balance on the first day of all
    equity: np.ndarray
    begins: np.ndarray  # whether the day's first row is here, not in an earlier stretch
    ended: np.ndarray  # the highest balance at the resets since the row before, days without a row included


@dataclass(frozen=True)
class Stretch:
    """Rows of a path, net of cash flows, and the trades that were open at some time of it."""

    ts: np.ndarray
    balance: np.ndarray
    equity: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None
    days: Days
    trades: Trades  # open in it, or closed since the reset before it; an exit after its last row has not happened
    before: int  # instant of the row before the stretch, or BEFORE
    balance_before: float  # of that row, or the initial balance
    equity_before: float

    def by_day(self, values: np.ndarray) -> np.ndarray:
        """One value a day as one a row."""
        if len(values) == 1:
            return np.full(len(self.ts), values[0])
        return np.repeat(values, np.diff(self.days.first, append=len(self.ts)))

    def day_of_rows(self, rows: np.ndarray) -> np.ndarray:
        """Place in ``days`` of each row."""
        return np.searchsorted(self.days.first, rows, side="right") - 1

    @property
    def last(self) -> int:
        return int(self.ts[-1])

    @property
    def opened(self) -> np.ndarray:
        """Which trades were opened in the stretch."""
        return self.trades.entry_ts > self.before

    @property
    def closed(self) -> np.ndarray:
        """Which trades were closed in the stretch."""
        return (self.trades.exit_ts < OPEN) & (self.trades.exit_ts > self.before)


@dataclass
class Carry:
    """What a stretch needs to know of all before it."""

    initial: float
    ts: int = BEFORE
    balance: float = 0.0
    equity: float = 0.0
    day: int = -1  # row in the resets of the last row's day
    day_balance: float = 0.0  # at the reset of that day
    day_equity: float = 0.0
    trades: Trades | None = None  # those that are open, or were closed since the reset of that day

    def __post_init__(self) -> None:
        self.balance = self.equity = self.initial


def stretch_of(
    carry: Carry,
    clock: DayClock,
    ts: np.ndarray,
    balance: np.ndarray,
    equity: np.ndarray,
    low: np.ndarray | None,
    high: np.ndarray | None,
    trades: Trades,
) -> Stretch:
    """The rows as a stretch; ``carry`` then stands at its last row. ``trades``: those opened in it, and those closed in it that were open before."""
    days = _days(carry, clock, ts, balance, equity)
    together = _together(carry.trades, trades).as_of(int(ts[-1]))
    stretch = Stretch(ts, balance, equity, low, high, days, together, carry.ts, carry.balance, carry.equity)
    carry.ts, carry.balance, carry.equity = int(ts[-1]), float(balance[-1]), float(equity[-1])
    carry.day, carry.day_balance, carry.day_equity = (
        int(days.number[-1]),
        float(days.balance[-1]),
        float(days.equity[-1]),
    )
    carry.trades = together.rows(together.exit_ts >= clock.resets.at[carry.day]) if len(together) else None
    return stretch


def _together(held: Trades | None, given: Trades) -> Trades:
    """Trades of before, as they are known now, and new ones."""
    if held is None or not len(held):
        return given
    known = set(given.id.tolist())
    return (
        joined(held.rows(np.array([each not in known for each in held.id.tolist()], bool)), given)
        if len(given)
        else held
    )


def _days(carry: Carry, clock: DayClock, ts: np.ndarray, balance: np.ndarray, equity: np.ndarray) -> Days:
    resets = clock.resets.at
    low, high = (int(day) for day in clock.day_of(ts[[0, -1]]))
    first = np.concatenate([[0], np.searchsorted(ts, resets[low + 1 : high + 1], side="left")])
    number = np.arange(low, high + 1)
    kept = np.diff(first, append=len(ts)) > 0
    first, number = first[kept], number[kept]
    begins = np.ones(len(first), bool)
    begins[0] = number[0] != carry.day
    at = np.where(ts[first] == resets[number], first, first - 1)  # the last row at or before the reset
    start_balance, start_equity = balance[np.maximum(at, 0)], equity[np.maximum(at, 0)]
    if carry.ts == BEFORE:
        start_balance[0] = start_equity[0] = carry.initial
    elif not begins[0]:
        start_balance[0], start_equity[0] = carry.day_balance, carry.day_equity
    elif at[0] < 0:
        start_balance[0], start_equity[0] = carry.balance, carry.equity
    skipped = begins & (np.diff(number, prepend=carry.day) > 1)
    skipped[0] &= carry.ts != BEFORE
    row_before = np.where(first > 0, balance[np.maximum(first - 1, 0)], carry.balance)
    ended = np.where(skipped, np.maximum(row_before, start_balance), start_balance)
    return Days(first, number, start_balance, start_equity, begins, ended)
