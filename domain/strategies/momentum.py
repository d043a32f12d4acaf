"""Momentum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.errors import BadRequest
from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows
from domain.strategies.entries import began, order_columns


@strategy("momentum")
@dataclass(frozen=True)
class Momentum(OnColumns):
    """Enter with a move that is under way: the close has risen, the fast average lies above the slow one, and the trend is strong.

    Long condition at the close of bar t:  roc(roc_window) > roc_least  and  ema(fast) > ema(slow)  and  adx(adx_window) ≥ adx_least.
    Short condition:  roc < −roc_least  and  ema(fast) < ema(slow)  and  adx ≥ adx_least.
    A signal where a condition is true at t and was not at t − 1; a comparison with an unknown value is not true, and without an ATR there is no signal.
    Market order; stop_loss = close − side · stop_atr · atr(atr_window); target target_r R; out after max_bars bars.

    roc(n) = 100 · (C_t / C_{t−n} − 1).  ema(n): step 2 / (n + 1), begun with the mean of the first n closes.  adx(n), atr(n): Wilder's.
    """

    memory = 2
    protection = ("stop_atr", "target_r", "max_bars")

    roc_window: int = param(20, low=1, high=2_000, unit="bars", title="Rate of change length", help="bars over which the close must have risen")
    roc_least: float = param(0.0, low=0.0, high=1_000.0, unit="%", title="Least rate of change", help="rise above which a long is entered; a short below its negative")
    fast: int = param(12, low=1, high=5_000, unit="bars", title="Fast average", help="length of the fast exponential average")
    slow: int = param(48, low=2, high=10_000, unit="bars", title="Slow average", help="length of the slow exponential average")
    adx_window: int = param(14, low=2, high=500, unit="bars", title="ADX length", help="length of the ADX")
    adx_least: float = param(20.0, low=0.0, high=100.0, unit="%", title="Least ADX", help="ADX from which a trend counts as strong")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR")
    stop_atr: float = param(2.0, low=0.1, high=50.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close")
    target_r: float = param(2.0, low=0.0, high=100.0, unit="R", title="Take profit (R)", help="distance of the target, in multiples of the initial risk; 0: none")
    max_bars: int = param(96, low=0, high=100_000, unit="bars", title="Time stop (bars)", help="bars after which the position is closed; 0: never")

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise BadRequest(f"fast is {self.fast} bars and slow {self.slow}; fast must be the shorter one")

    def features(self) -> tuple[Use, ...]:
        return use("roc", window=self.roc_window), use("ema", window=self.fast), use("ema", window=self.slow), use("adx", window=self.adx_window), use("atr", window=self.atr_window)

    def entries(self, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
        roc, fast, slow, adx, atr = self.inputs(columns)
        strong = adx >= self.adx_least
        long = (roc > self.roc_least) & (fast > slow) & strong
        short = (roc < -self.roc_least) & (fast < slow) & strong
        return began(long, short, atr)

    def protected(self, columns: Columns, bar: np.ndarray, side: np.ndarray) -> Rows:
        return order_columns(columns["close"][bar] - side * (self.stop_atr * columns[self.names[4]][bar]), "momentum", target_r=self.target_r, max_bars=self.max_bars)
