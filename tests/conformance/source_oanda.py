"""OANDA in the suite of sources: FX by the hour and, over several pages, by the minute; yen have three decimals."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from domain.venues.oanda_wire import ACCOUNT, TOKEN
from tests.conformance.source_rig import HOUR, NOON, SourceRig, random_bars
from tests.doubles.oanda import TOKEN as SECRET
from tests.doubles.oanda_candles import OandaCandles, Rows, rows_of

NUMBER = "101-004-1435156-001"


class OandaFX(SourceRig):
    vendor, symbol, granularity = "oanda", "EUR_USD", "H1"
    environment, secrets = {TOKEN: SECRET, ACCOUNT: NUMBER}, (SECRET, NUMBER)

    @cached_property
    def bars(self) -> pd.DataFrame:
        return random_bars()

    @cached_property
    def rows(self) -> Rows:
        return rows_of(self.bars, self.symbol)

    def double(self) -> OandaCandles:
        return OandaCandles({(self.symbol, self.granularity): self.rows}, self.at // 1_000_000_000, SECRET)


class OandaYen(OandaFX):
    symbol, granularity, instrument, timeframe = "USD_JPY", "M1", "USDJPY", "M1"
    at = NOON + HOUR // 120

    @cached_property
    def bars(self) -> pd.DataFrame:
        return random_bars("USDJPY", "M1", days=5, spread=0.012)


RIGS = (OandaFX, OandaYen)
