"""Dukascopy in the suite of sources: FX by the hour, and gold in five minutes."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from domain.market import ts_of
from domain.market.source import Span
from tests.conformance.source_rig import HOUR, NOON, SourceRig, made
from tests.doubles.dukascopy import DukascopyDouble

FIVE = HOUR // 12


def short(name: str, timeframe: str, spread: float, hours: int) -> pd.DataFrame:
    """The last hours: each is a request. Two whole ones in the middle are missing; each bar is four ticks."""
    bars = made(name, timeframe, days=2, spread=spread, volume=False).assign(volume=4.0)
    hole, ts = NOON - hours // 2 * HOUR, ts_of(bars)
    return bars[(ts >= NOON - hours * HOUR) & ((ts < hole) | (ts >= hole + 2 * HOUR))].reset_index(drop=True)[[*bars.columns[:5], "volume", "spread"]]


class DukascopyFX(SourceRig):
    vendor = "dukascopy"

    @cached_property
    def bars(self) -> pd.DataFrame:
        return short("EURUSD", "H1", 0.00013, 30)

    def double(self) -> DukascopyDouble:
        return DukascopyDouble({"EURUSD": self.bars})


class DukascopyGold(SourceRig):
    """``at``: five past twelve, so that no whole hour is under way but its first five minutes."""

    vendor, instrument, timeframe, unknown = "dukascopy", "XAUUSD", "M5", "GC=F"
    at = NOON + FIVE // 2
    empty = Span(NOON - 96 * HOUR + 2 * HOUR, NOON - 96 * HOUR + 5 * HOUR)

    @cached_property
    def bars(self) -> pd.DataFrame:
        return short("XAUUSD", "M5", 0.2, 8)

    def double(self) -> DukascopyDouble:
        return DukascopyDouble({"XAUUSD": self.bars}, 1_000, FIVE)


RIGS = (DukascopyFX, DukascopyGold)
