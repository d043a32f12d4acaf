"""Prices on the grid and on the side they are traded, whole steps, slippage, ranges."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.codes import BID, FIXED, MID, RANDOM
from domain.backtest.kernel.places import signal_of
from domain.backtest.memory import compiled, entry, f8


@compiled
def grid(x):
    """Section 1: only numbers on a grid of 1e-9 are compared."""
    return np.rint(x * 1e9) / 1e9


@compiled
def closing(side, price, spread, quotes):
    """The price at which a position of ``side`` is closed: longs at the bid, shorts at the ask."""
    if quotes == MID:
        return grid(price - side * spread * 0.5)
    if side > 0:
        return price if quotes == BID else grid(price)
    return grid(price + spread)


@compiled
def opening(side, price, spread, quotes):
    """The price at which a position of ``side`` is opened: longs at the ask, shorts at the bid."""
    return closing(-side, price, spread, quotes)


@compiled
def adverse(h, task, side, bar):
    """The extreme of the closing side against ``side`` in this bar."""
    return closing(side, f8(h.low)[bar] if side > 0 else f8(h.high)[bar], f8(h.spread)[bar], task.quotes)


@compiled
def closed_at(h, task, side, bar):
    """The closing side's close."""
    return closing(side, f8(h.close)[bar], f8(h.spread)[bar], task.quotes)


@compiled
def whole_steps(lots, step):
    """Rounded down to the lot step."""
    return grid(np.floor(lots / step + 1e-6) * step)


@compiled
def split_mix(x):
    """SplitMix64 of one number, as a share of 2^64."""
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z) * 5.421010862427522e-20


@compiled
def slippage(h, task, signal, fill, bar):
    """Section 5: always adverse. ``bar`` is the last closed one."""
    if h.slippage_kind == FIXED:
        return task.slippage
    if h.slippage_kind == RANDOM:
        return task.slippage * split_mix(h.seed ^ np.uint64(signal_of(h, signal).number * 16 + fill))
    atr = f8(h.atr)[h.slippage_atr * h.bars + bar] if bar >= task.first else np.nan
    return 0.0 if np.isnan(atr) else task.slippage * atr


@entry
def wilder_atr(high, low, close, window, out):
    """Wilder's average true range: NaN up to the first mean of ``window`` true ranges, which a first bar has none of."""
    total = 0.0
    for i in range(high.shape[0]):
        out[i] = np.nan
        if i == 0:
            continue
        true_range = max(high[i], close[i - 1]) - min(low[i], close[i - 1])
        if i <= window:
            total += true_range
            if i == window:
                out[i] = total / window
        else:
            out[i] = out[i - 1] + (true_range - out[i - 1]) / window
