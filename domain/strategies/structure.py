"""Breaks of market structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows, begins, sided
from domain.strategies.entries import placed

LONGER = ("M5", "M15", "M30", "H1", "H4", "D1", "W1")


@strategy("structure")
@dataclass(frozen=True)
class Structure(OnColumns):
    """Enter where the close first breaks the last swing, with the trend of a longer timeframe; the stop lies beyond the swing on the other side.

    Long condition at the close of bar t:  break_of_structure(swing_bars) = 1  and  distance(trend_window, atr_window)@longer > 0.
    Short condition:  break_of_structure = −1  and  distance@longer < 0.
    A signal where a condition is true at t and was not at t − 1; a comparison with an unknown value is not true. Of the longer timeframe only closed bars count.
    Market order; stop_loss = swing_low(swing_bars) − stop_atr · atr(atr_window) for a long, swing_high(swing_bars) + stop_atr · atr(atr_window) for a short;
    no signal without an ATR. Stop to the entry price at break_even_r R; target target_r R.

    swing_high(n): the last high above those of n bars before it and not below those of n after, known n bars later; swing_low(n) mirrored.
    break_of_structure(n): 1 on the bar that first closes above the last swing high, −1 on one that first closes below the last swing low.
    distance(n, m) = (C − ema(n)) / atr(m), of the longer bars.  atr(n): Wilder's.
    """

    memory = 2

    swing_bars: int = param(3, low=1, high=500, unit="bars", title="Swing strength", help="bars on each side that make a swing")
    longer: str = param("H4", choices=LONGER, title="Longer timeframe", help="timeframe whose trend a break must follow")
    trend_window: int = param(20, low=1, high=5_000, unit="longer bars", title="Trend length", help="length of the exponential average of the longer timeframe")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR, of the stop and of the longer timeframe")
    stop_atr: float = param(0.1, low=0.0, high=50.0, unit="ATR", title="Stop beyond the swing (× ATR)", help="distance of the stop from the swing on the other side")
    break_even_r: float = param(1.0, low=0.0, high=100.0, unit="R", title="Move stop to breakeven at (R)", help="profit at which the stop moves to the entry price; 0: never")
    target_r: float = param(2.0, low=0.0, high=100.0, unit="R", title="Take profit (R)", help="distance of the target, in multiples of the initial risk; 0: none")

    def features(self) -> tuple[Use, ...]:
        return (
            use("break_of_structure", bars=self.swing_bars),
            use("distance", self.longer, window=self.trend_window, against=self.atr_window),
            use("swing_low", bars=self.swing_bars),
            use("swing_high", bars=self.swing_bars),
            use("atr", window=self.atr_window),
        )

    def decisions(self, columns: Columns) -> Rows:
        broken, trend, low, high, atr = self.inputs(columns)
        bar, side = sided(begins((broken == 1.0) & (trend > 0.0)), begins((broken == -1.0) & (trend < 0.0)))
        stop = np.where(side > 0, low[bar] - self.stop_atr * atr[bar], high[bar] + self.stop_atr * atr[bar])
        return placed(bar, side, stop, "structure", target_r=self.target_r, break_even_r=self.break_even_r)
