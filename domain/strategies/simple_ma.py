"""Moving-average cross."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.errors import BadRequest
from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows


@strategy("simple_ma")
@dataclass(frozen=True)
class SimpleMA(OnColumns):
    """Moving-average crossover: long while the fast average is above the slow one, short while it is below; each cross
    reverses at the next open, with a protective ATR stop."""

    memory = 2

    fast: int = param(20, low=1, high=5_000, unit="bars", help="length of the fast average")
    slow: int = param(80, low=2, high=10_000, unit="bars", help="length of the slow average")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR")
    stop_atr: float = param(4.0, low=0.1, high=100.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close of the cross")

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise BadRequest(f"fast is {self.fast} bars and slow {self.slow}; fast must be the shorter one")

    def features(self) -> tuple[Use, ...]:
        return use("sma", window=self.fast), use("sma", window=self.slow), use("atr", window=self.atr_window)

    def decisions(self, columns: Columns) -> tuple[Rows, ...]:
        fast, slow, atr = self.inputs(columns)
        close, above = columns["close"], np.sign(fast - slow)
        bar = np.flatnonzero((above[1:] != 0) & (above[1:] != above[:-1]) & ~np.isnan(above[1:] + above[:-1]) & ~np.isnan(atr[1:])) + 1
        side = above[bar].astype(np.int64)
        leave = dict(bar=bar, side=side, order="exit", tag="simple_ma")
        return leave, dict(bar=bar, side=side, order="market", stop_loss=close[bar] - side * self.stop_atr * atr[bar], tag="simple_ma")
