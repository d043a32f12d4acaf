"""Yahoo in the suite of sources: FX by the hour, and a future by the minute."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from domain.market.source import Span
from tests.conformance.source_rig import HOUR, NOON, SourceRig, random_bars
from tests.doubles.yahoo import YahooDouble


class YahooFX(SourceRig):
    vendor, unknown, spread = "yahoo", "XAUUSD", False

    @cached_property
    def bars(self) -> pd.DataFrame:
        return random_bars(spread=None, volume=False)

    def double(self) -> YahooDouble:
        return YahooDouble({("EURUSD=X", "1h"): self.bars}, self.at // 1_000_000_000)


class YahooFuture(SourceRig):
    vendor, unknown, spread, instrument, timeframe = "yahoo", "US500", False, "ES=F", "M5"
    at = NOON + HOUR // 30
    empty = Span(NOON - 96 * HOUR + 2 * HOUR, NOON - 96 * HOUR + 5 * HOUR)

    @cached_property
    def bars(self) -> pd.DataFrame:
        return random_bars("ES=F", "M5", days=10, spread=None)

    def double(self) -> YahooDouble:
        return YahooDouble({("ES=F", "5m"): self.bars}, self.at // 1_000_000_000)


RIGS = (YahooFX, YahooFuture)
