"""Money flow."""

from __future__ import annotations

from dataclasses import dataclass

from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows
from domain.strategies.entries import entered


@strategy("volume_flow")
@dataclass(frozen=True)
class VolumeFlow(OnColumns):
    """Enter with the money: volume closes on one side of its bars, order flow is one-sided, and the close lies beyond the day's mean price.

    Long condition at the close of bar t:  chaikin_money_flow(flow_window) ≥ flow_least  and  vpin(vpin_window) ≥ vpin_least  and  close > vwap.
    Short condition:  chaikin_money_flow ≤ −flow_least  and  vpin ≥ vpin_least  and  close < vwap.
    A signal where a condition is true at t and was not at t − 1; a comparison with an unknown value is not true, and without an ATR there is no signal.
    Market order; stop_loss = close − side · stop_atr · atr(atr_window); target target_r R. Bars without volume are refused in a sentence.

    chaikin_money_flow(n) = Σ V·(2C − H − L)/(H − L) / Σ V of the last n bars.  vpin(n): Σ |buys − sells| / Σ V of the last n bars by bulk volume
    classification.  vwap: volume-weighted mean of (H + L + C)/3 of the trading day so far.  atr(n): Wilder's.
    """

    memory = 2
    required = ("chaikin_money_flow",)

    flow_window: int = param(20, low=1, high=2_000, unit="bars", title="Money flow length", help="bars of Chaikin's money flow")
    flow_least: float = param(0.1, low=0.0, high=1.0, unit="share", title="Least money flow", help="money flow from which a long is entered; a short up to its negative")
    vpin_window: int = param(50, low=2, high=2_000, unit="bars", title="VPIN length", help="bars of the order imbalance")
    vpin_least: float = param(0.4, low=0.0, high=1.0, unit="share", title="Least VPIN", help="order imbalance from which the flow counts as one-sided")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR")
    stop_atr: float = param(2.0, low=0.1, high=50.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close")
    target_r: float = param(2.0, low=0.0, high=100.0, unit="R", title="Take profit (R)", help="distance of the target, in multiples of the initial risk; 0: none")

    def features(self) -> tuple[Use, ...]:
        return use("chaikin_money_flow", window=self.flow_window), use("vpin", window=self.vpin_window), use("vwap"), use("atr", window=self.atr_window)

    def decisions(self, columns: Columns) -> Rows:
        flow, vpin, vwap, atr = self.inputs(columns)
        close, toxic = columns["close"], vpin >= self.vpin_least
        long = (flow >= self.flow_least) & toxic & (close > vwap)
        short = (flow <= -self.flow_least) & toxic & (close < vwap)
        return entered(close, long, short, self.stop_atr * atr, "volume_flow", target_r=self.target_r)
