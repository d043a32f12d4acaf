"""Channel breakout with an ATR filter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows, sided


@strategy("breakout")
@dataclass(frozen=True)
class Breakout(OnColumns):
    """Donchian breakout: enter next open when the close breaks the N-bar high/low; skipped in low volatility. Stop in
    ATR, target in R."""

    lookback: int = param(48, low=2, high=2_000, unit="bars", help="length of the channel, without the current bar")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR")
    quiet: float = param(0.8, low=0.0, high=10.0, unit="of mean ATR", title="Min. ATR filter (× 100-bar mean ATR)", help="no entry while ATR is below this multiple of its own 100-bar mean; 0: no filter")
    stop_atr: float = param(2.0, low=0.1, high=50.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close of the breakout bar")
    target_r: float = param(3.0, low=0.1, high=100.0, unit="R", title="Take profit (R)", help="distance of the target from the entry, in multiples of the initial risk")
    break_even_r: float = param(1.0, low=0.0, high=100.0, unit="R", title="Move stop to breakeven at (R)", help="profit at which the stop moves to the entry price; 0: never")
    max_bars: int = param(96, low=0, high=100_000, unit="bars", title="Time stop (bars)", help="bars after which the position is closed; 0: never")

    def features(self) -> tuple[Use, ...]:
        return (
            use("channel_high", window=self.lookback),
            use("channel_low", window=self.lookback),
            use("atr", window=self.atr_window),
            *([use("atr_ratio", window=self.atr_window)] if self.quiet > 0 else []),
        )

    def decisions(self, columns: Columns) -> Rows:
        top, bottom, atr, *ratio = self.inputs(columns)
        close = columns["close"]
        awake = ratio[0] >= self.quiet if ratio else ~np.isnan(atr)
        bar, side = sided((close > top) & awake, (close < bottom) & awake)
        return dict(
            bar=bar,
            side=side,
            stop_loss=close[bar] - side * (self.stop_atr * atr[bar]),
            target_r_1=self.target_r,
            break_even_r=self.break_even_r if self.break_even_r > 0 else np.nan,
            max_bars=self.max_bars if self.max_bars > 0 else np.nan,
            tag="breakout",
        )
