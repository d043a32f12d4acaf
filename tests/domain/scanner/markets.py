"""Bars on which a plain strategy wins often, and the strategy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.backtest.study import Series
from domain.features import Use, use
from domain.market import instruments
from domain.market.bars import frame
from domain.market.timeframe import Timeframe
from domain.params import param

BARS = 500
MONDAY = 1_704_067_200_000_000_000      # 2024-01-01 00:00 UTC
HOUR = 3_600_000_000_000


def bars(seed, count=BARS, drift=0.75, hours=1, pip=0.0001, start=1.1):
    """Hourly changes of 10 pips, up with the probability ``drift``; a spread of 1 or 2 pips. No weekends, which the engine need not know."""
    rng = np.random.default_rng(seed)
    change = np.where(rng.random(count) < drift, 1, -1) * 10 * pip
    close = start + np.cumsum(change)
    open_ = close - change
    return frame(
        MONDAY + (BARS - BARS * hours + np.arange(count) * hours) * HOUR, open=open_, high=np.maximum(open_, close) + pip, low=np.minimum(open_, close) - pip, close=close, spread=pip * rng.choice([1.0, 2.0], count)
    )  # fmt: skip


def series(name="EURUSD", seed=1, timeframe="H1", **how):
    return Series(instruments()[name], Timeframe.named(timeframe), bars(seed, hours=Timeframe.named(timeframe).minutes // 60, **how))


@dataclass(frozen=True)
class Every:
    """An entry at each ``step``-th bar counted back from bar ``last``, in at most ``most`` bars."""

    step: int = param(5, low=1, high=1_000, unit="bars", help="bars between entries")
    last: int = param(BARS - 1, low=0, high=100_000, unit="bars", help="bar of the last entry")
    side: int = param(1, low=-1, high=1, unit="", help="1 long, -1 short")
    stop: float = param(0.002, low=0.0, high=1.0, unit="price", help="distance of the stop; 0: none")
    hold: int = param(4, low=1, high=100, unit="bars", help="bars that a position is held")
    window: int = param(14, low=2, high=2_000, unit="bars", help="of the average that it waits for")
    name: str = param("every", unit="", help="tag")

    def features(self) -> tuple[Use, ...]:
        return (use("sma", window=self.window),)

    def signals(self, table: pd.DataFrame) -> pd.DataFrame:
        number = np.arange(len(table))
        at = np.flatnonzero((number % self.step == self.last % self.step) & (number <= self.last) & table[self.features()[0].column].notna().to_numpy())
        close = table["close"].to_numpy()[at]
        stop = close - self.side * self.stop if self.stop else np.full(len(at), np.nan)
        return pd.DataFrame(dict(ts=table["ts"].array[at], side=self.side, stop_loss=stop, target_r_1=np.where(np.isnan(stop), np.nan, 3.0), max_bars=self.hold, tag=self.name), index=at)
