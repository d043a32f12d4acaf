"""Many accounts that live through resampled days side by side, one day at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from domain.compliance.run_days import RunDays


@dataclass
class PathDay:
    """One day of every path, account currency; each array has an element a path. ``_start``: at the day's reset.

    ``best``: the best trade closed that day, 0 without one; ``opened``: positions opened.
    """

    equity_start: np.ndarray
    balance_start: np.ndarray
    equity: np.ndarray
    balance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    best: np.ndarray
    opened: np.ndarray

    def withdraw(self, amount: np.ndarray) -> None:
        """Take money out at the end of the day, after its rules were judged."""
        self.equity = self.equity - amount
        self.balance = self.balance - amount


def path_days(days: RunDays, chosen: np.ndarray, initial: float, factor: float = 1.0) -> Iterator[PathDay]:
    """Day by day, the paths of accounts that begin with ``initial`` and have the days ``chosen``, ``(horizon, paths)``.

    ``days`` are shares of the day's starting equity, times ``factor``; results compound. An account that lost
    everything stays at 0. Equity less balance at a day's end is what it was on the day that was drawn.

    >>> days = RunDays("share", *(np.array(column) for column in ([1, 2], [0.1, -0.5], [0.0, -0.6], [0.2, 0.0])))
    >>> [(float(day.equity[0]), float(day.low[0])) for day in path_days(days, np.array([[0], [1]]), 100.0)]
    [(110.00000000000001, 100.0), (55.00000000000001, 44.00000000000001)]
    """
    grown, lowest, highest = (np.maximum(1.0 + factor * each, 0.0) for each in (days.change, days.low, days.high))
    best, floating = factor * days.best, factor * days.floating
    floats, traded = bool(floating.any()), bool(best.any())
    equity = balance = np.full(chosen.shape[1], float(initial))
    for row in chosen:
        end = equity * grown.take(row)
        settled = end - floating.take(row) * equity if floats else end
        low, high = equity * lowest.take(row), equity * highest.take(row)
        trade = equity * best.take(row) if traded else np.zeros(len(row))
        day = PathDay(equity, balance, end, settled, low, high, trade, days.opened.take(row))
        yield day
        equity, balance = day.equity, day.balance
