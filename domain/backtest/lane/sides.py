"""The prices of one series as a position of each side meets them: signed, so that more is better for a long and for a short."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import numpy as np

from domain.backtest.kernel import codes
from domain.backtest.lane.record import ADVERSE, BLOCK, CLOSE, FAVOURABLE
from domain.backtest.series import Bars, on_grid

PRICES = ("open", "high", "low", "close", "spread")


class Sides(NamedTuple):
    """``prices``, ``blocks``: of a long and of a short, a row a bar and a row a block of bars. ``is_orderly``: every bar opens inside its range."""

    bars: Bars
    quotes: int
    prices: tuple[np.ndarray, ...]
    blocks: tuple[np.ndarray, ...]
    is_orderly: bool


def sides_of(bars: Bars, quotes: int, before: Sides | None = None) -> Sides:
    """``before``: taken where it has the same prices."""
    if before and before.quotes == quotes and all(np.array_equal(getattr(before.bars, name), getattr(bars, name)) for name in PRICES):
        return before
    prices = tuple(_prices(bars, quotes))
    orderly = all((rows[:, ADVERSE] <= rows[:, 0]).all() and (rows[:, 0] <= rows[:, FAVOURABLE]).all() and not np.isnan(rows[:, CLOSE]).any() for rows in prices)
    return Sides(bars, quotes, prices, tuple(map(_blocks, prices)), bool(orderly))


def _prices(bars: Bars, quotes: int) -> np.ndarray:
    """Of both sides in one piece of memory: one that is large enough comes in large pages, which the kernel, going from trade to trade, reads sooner."""
    prices = np.empty((2, len(bars.ts), 4))
    for rows, side, names in zip(prices, (1, -1), (("open", "low", "high", "close"), ("open", "high", "low", "close")), strict=True):
        for k, name in enumerate(names):
            np.multiply(side, _closing(side, getattr(bars, name), bars.spread, quotes), out=rows[:, k])
    return prices


def _closing(side: int, price: np.ndarray, spread: np.ndarray, quotes: int) -> np.ndarray:
    """The price at which a position of ``side`` is closed, as ``kernel.numbers.closing`` has it."""
    if quotes == codes.MID:
        return on_grid(price - side * spread * 0.5)
    if side > 0:
        return price if quotes == codes.BID else on_grid(price)
    return on_grid(price + spread)


def _blocks(rows: np.ndarray) -> np.ndarray:
    """The extremes of each full block of bars."""
    blocks = rows[: len(rows) // BLOCK * BLOCK].reshape(-1, BLOCK, 4)
    parts = [np.ascontiguousarray(blocks[:, k]) for k in range(BLOCK)]
    low, high = reduce(np.minimum, parts), reduce(np.maximum, parts)
    return np.stack([low[:, ADVERSE], high[:, FAVOURABLE], low[:, CLOSE], high[:, CLOSE]], axis=1)
