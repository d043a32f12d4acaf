"""Channel breakout on volume."""

from __future__ import annotations

from dataclasses import dataclass

from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows
from domain.strategies.entries import entered


@strategy("volume_breakout")
@dataclass(frozen=True)
class VolumeBreakout(OnColumns):
    """Enter where the close leaves the channel of the bars before it on more than usual volume and range.

    Long condition at the close of bar t:  close > channel_high(lookback)  and  relative_volume(volume_window) ≥ volume_least
    and  atr_ratio(atr_window, ratio_window) ≥ ratio_least.  Short condition:  close < channel_low(lookback), and the same two.
    A signal where a condition is true at t and was not at t − 1; a comparison with an unknown value is not true, and without an ATR there is no signal.
    Market order; stop_loss = close − side · stop_atr · atr(atr_window); target target_r R. Bars without volume are refused in a sentence.

    channel_high(n), channel_low(n): highest high and lowest low of the n bars before t.  relative_volume(n): volume over the mean volume of the n bars
    before t.  atr(n): Wilder's.  atr_ratio(n, m): atr(n) over the mean of its last m values.
    """

    memory = 2
    required = ("relative_volume",)

    lookback: int = param(20, low=2, high=2_000, unit="bars", help="length of the channel, without the current bar")
    volume_window: int = param(20, low=1, high=2_000, unit="bars", title="Volume length", help="earlier bars whose mean volume is the usual one")
    volume_least: float = param(1.5, low=0.0, high=100.0, unit="× usual", title="Least volume", help="volume from which a breakout counts, in mean volumes")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR, of the stop and of the ratio")
    ratio_window: int = param(100, low=1, high=5_000, unit="bars", title="ATR mean length", help="values of the ATR whose mean is the usual one")
    ratio_least: float = param(1.0, low=0.0, high=10.0, unit="of mean ATR", title="Least ATR", help="ATR from which a breakout counts, in mean ATRs")
    stop_atr: float = param(2.0, low=0.1, high=50.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close")
    target_r: float = param(3.0, low=0.0, high=100.0, unit="R", title="Take profit (R)", help="distance of the target, in multiples of the initial risk; 0: none")

    def features(self) -> tuple[Use, ...]:
        return (
            use("channel_high", window=self.lookback),
            use("channel_low", window=self.lookback),
            use("relative_volume", window=self.volume_window),
            use("atr_ratio", window=self.atr_window, against=self.ratio_window),
            use("atr", window=self.atr_window),
        )

    def decisions(self, columns: Columns) -> Rows:
        top, bottom, volume, ratio, atr = self.inputs(columns)
        close, awake = columns["close"], (volume >= self.volume_least) & (ratio >= self.ratio_least)
        return entered(close, (close > top) & awake, (close < bottom) & awake, self.stop_atr * atr, "volume_breakout", target_r=self.target_r)
