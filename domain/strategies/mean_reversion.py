"""Mean reversion."""

from __future__ import annotations

from dataclasses import dataclass

from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows
from domain.strategies.entries import entered, left


@strategy("mean_reversion")
@dataclass(frozen=True)
class MeanReversion(OnColumns):
    """Buy a close far below its mean where momentum is exhausted and no trend is strong, sell one far above; leave at the mean.

    Long condition at the close of bar t:  zscore(zscore_window) ≤ −zscore_entry  and  rsi(rsi_window) ≤ rsi_low  and  adx(adx_window) ≤ adx_most.
    Short condition:  zscore ≥ zscore_entry  and  rsi ≥ 100 − rsi_low  and  adx ≤ adx_most.
    A signal where a condition is true at t and was not at t − 1; a comparison with an unknown value is not true, and without an ATR there is no signal.
    Exit of longs on each bar with zscore ≥ −zscore_exit, of shorts on each with zscore ≤ zscore_exit (0: the mean); longs and shorts have tags of their own.
    Market order; stop_loss = close − side · stop_atr · atr(atr_window); no target; out after max_bars bars.

    zscore(n) = (C − mean) / standard deviation of the last n closes, over n.  rsi(n), adx(n), atr(n): Wilder's.
    """

    memory = 2

    zscore_window: int = param(20, low=3, high=5_000, unit="bars", title="Z-score length", help="closes of the mean and the standard deviation")
    zscore_entry: float = param(2.0, low=0.0, high=20.0, unit="deviations", title="Entry beyond", help="how far below the mean a long is entered; a short as far above")
    zscore_exit: float = param(0.0, low=-20.0, high=20.0, unit="deviations", title="Exit within", help="a long leaves from so far below the mean on, a short from so far above; 0: at the mean")
    rsi_window: int = param(14, low=2, high=500, unit="bars", title="RSI length", help="length of the RSI")
    rsi_low: float = param(30.0, low=0.0, high=50.0, unit="RSI", title="Oversold at", help="RSI up to which a long is entered; a short from 100 less this on")
    adx_window: int = param(14, low=2, high=500, unit="bars", title="ADX length", help="length of the ADX")
    adx_most: float = param(25.0, low=0.0, high=100.0, unit="%", title="Largest ADX", help="ADX up to which no trend stands against it")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR")
    stop_atr: float = param(2.5, low=0.1, high=50.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close")
    max_bars: int = param(48, low=0, high=100_000, unit="bars", title="Time stop (bars)", help="bars after which the position is closed; 0: never")

    def features(self) -> tuple[Use, ...]:
        return use("zscore", window=self.zscore_window), use("rsi", window=self.rsi_window), use("adx", window=self.adx_window), use("atr", window=self.atr_window)

    def decisions(self, columns: Columns) -> tuple[Rows, ...]:
        zscore, rsi, adx, atr = self.inputs(columns)
        calm = adx <= self.adx_most
        long = (zscore <= -self.zscore_entry) & (rsi <= self.rsi_low) & calm
        short = (zscore >= self.zscore_entry) & (rsi >= 100.0 - self.rsi_low) & calm
        leave = left(zscore >= -self.zscore_exit, zscore <= self.zscore_exit, "mean_reversion")
        return *leave, entered(columns["close"], long, short, self.stop_atr * atr, "mean_reversion", max_bars=self.max_bars, by_side=True)
