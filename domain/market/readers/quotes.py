"""Bid and ask bars made into bid bars with a spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from domain.market.bars import PRICES
from domain.market.readers.base import RawBars
from domain.market.readers.layout import ASKS, Parts
from domain.market.readers.text import raw_bars

NOISE = 1e-9  # of the price: differences that are nothing but rounding


def bid_with_spread(parts: Parts, numbers: tuple[str, ...]) -> RawBars:
    """The bid bars of what was read with both sides; their spread is the mean of ask minus bid over open, high, low and
    close.
    """
    asks = {name: parts.joined(ask) for name, ask in zip(PRICES, ASKS, strict=True)}
    return with_spread(raw_bars(parts, numbers), asks)


def with_spread(bid: RawBars, asks: dict[str, np.ndarray]) -> RawBars:
    """``bid`` with the mean of ask minus bid as its spread, NaN where there is no ask.

    Where one of the four asks is below its bid, the spread is the lowest of the four differences: it is negative, and a
    finding.
    """
    between = np.vstack([asks[name] - getattr(bid, name) for name in PRICES])
    between = np.where(np.abs(between) <= NOISE * np.abs(bid.close), 0.0, between)
    lowest = between.min(axis=0)  # NaN where one is
    crossed = int((lowest < 0).sum())
    spread = np.where(lowest < 0, lowest, np.round(between.mean(axis=0), 10))
    notes = (*bid.notes, "prices are the bid's; spread is the mean of ask minus bid over open, high, low and close")
    notes += (f"the ask is below the bid in {crossed:,} row{'' if crossed == 1 else 's'}",) if crossed else ()
    return replace(bid, spread=spread, notes=notes)
