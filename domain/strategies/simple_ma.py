"""Moving-average cross."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy


@strategy("simple_ma")
@dataclass(frozen=True)
class SimpleMA:
    """Moving-average crossover: long while the fast average is above the slow one, short while it is below; each cross
    reverses at the next open, with a protective ATR stop."""

    fast: int = param(20, low=1, high=5_000, unit="bars", help="length of the fast average")
    slow: int = param(80, low=2, high=10_000, unit="bars", help="length of the slow average")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR")
    stop_atr: float = param(4.0, low=0.1, high=100.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close of the cross")

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise BadRequest(f"fast is {self.fast} bars and slow {self.slow}; fast must be the shorter one")

    def features(self) -> tuple[Use, ...]:
        return use("sma", window=self.fast), use("sma", window=self.slow), use("atr", window=self.atr_window)

    def signals(self, frame: pd.DataFrame) -> pd.DataFrame:
        fast, slow, atr = (frame[feature.column] for feature in self.features())
        above = pd.Series(np.sign(fast - slow), index=frame.index)
        crossed = (above != 0) & (above != above.shift(1)) & above.shift(1).notna() & atr.notna()
        side, chosen = above[crossed], frame[crossed]
        stop = chosen["close"] - side * self.stop_atr * atr[crossed]
        rows = dict(ts=chosen["ts"], side=np.where(side > 0, "long", "short"), tag="simple_ma")
        leave = pd.DataFrame(rows | dict(order="exit", stop_loss=np.nan))
        enter = pd.DataFrame(rows | dict(order="market", stop_loss=stop))
        return pd.concat([leave, enter]).sort_index(kind="stable").reset_index(drop=True)
