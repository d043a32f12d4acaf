"""Dukascopy in the suite of sources: FX by the hour. Each hour is a request, so there are few."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from domain.market import ts_of
from tests.conformance.source_rig import HOUR, NOON, SourceRig, random_bars
from tests.doubles.dukascopy import DukascopyDouble


def short(name: str, timeframe: str, spread: float, hours: int) -> pd.DataFrame:
    """The last hours: each is a request. Two whole ones in the middle are missing; each bar is four ticks."""
    bars = random_bars(name, timeframe, days=2, spread=spread, volume=False).assign(volume=4.0)
    hole, ts = NOON - hours // 2 * HOUR, ts_of(bars)
    return bars[(ts >= NOON - hours * HOUR) & ((ts < hole) | (ts >= hole + 2 * HOUR))].reset_index(drop=True)[[*bars.columns[:5], "volume", "spread"]]


class DukascopyFX(SourceRig):
    vendor = "dukascopy"

    @cached_property
    def bars(self) -> pd.DataFrame:
        return short("EURUSD", "H1", 0.00013, 9)

    def double(self) -> DukascopyDouble:
        return DukascopyDouble({"EURUSD": self.bars})


RIGS = (DukascopyFX,)
