"""Figures of an equity curve, in one pass over it."""

from __future__ import annotations

from domain.backtest.memory import entry


@entry
def deepest_falls(equity, low, start):
    """The lowest of equity, and of its adverse extreme, over the highest equity so far."""
    peak, closes, extremes = start, 1.0, 1.0
    for i in range(equity.shape[0]):
        peak = max(peak, equity[i])
        closes = min(closes, equity[i] / peak)
        extremes = min(extremes, low[i] / peak)
    return closes, extremes
