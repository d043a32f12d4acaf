"""A spread between two instruments."""

from __future__ import annotations

from dataclasses import dataclass

from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows
from domain.strategies.entries import entered, left


@strategy("correlation")
@dataclass(frozen=True)
class Correlation(OnColumns):
    """Buy an instrument that has fallen behind another one it moves with, sell one that has run ahead; leave when the gap has closed.

    Long condition at the close of bar t:  spread_zscore(spread_window, other) ≤ −zscore_entry  and  correlation(correlation_window, other) ≥ correlation_least.
    Short condition:  spread_zscore ≥ zscore_entry, and the same correlation.
    A signal where a condition is true at t and was not at t − 1; a comparison with an unknown value is not true, and without an ATR there is no signal.
    Exit of longs on each bar with spread_zscore ≥ −zscore_exit, of shorts on each with spread_zscore ≤ zscore_exit; longs and shorts have tags of their own.
    Market order; stop_loss = close − side · stop_atr · atr(atr_window); no target. Only the instrument is traded, not the other one.

    spread_zscore(n, other): s = ln(close / other's close) off the mean of its last n values, in their standard deviations (over n).  correlation(n, other):
    Pearson's, of the log returns of the last n bars.  ``other`` is the name of an instrument of the run, "first" the first of the others in alphabetical
    order; its close is the latest one known at the bar's end.  atr(n): Wilder's.
    """

    memory = 2
    required = ("spread_zscore",)

    other: str = param("first", title="Other instrument", help='instrument of the run that the spread is taken against; "first": the first of the others in alphabetical order')
    spread_window: int = param(100, low=3, high=5_000, unit="bars", title="Spread length", help="bars of the mean and the standard deviation of the spread")
    zscore_entry: float = param(2.0, low=0.0, high=20.0, unit="deviations", title="Entry beyond", help="how far below its mean the spread is bought; sold as far above")
    zscore_exit: float = param(0.5, low=-20.0, high=20.0, unit="deviations", title="Exit within", help="a long leaves from so far below the mean on, a short from so far above")
    correlation_window: int = param(50, low=3, high=5_000, unit="bars", title="Correlation length", help="bars of the correlation of returns")
    correlation_least: float = param(0.6, low=-1.0, high=1.0, unit="correlation", title="Least correlation", help="correlation from which the two move together")
    atr_window: int = param(14, low=2, high=500, unit="bars", title="ATR length", help="length of the ATR")
    stop_atr: float = param(3.0, low=0.1, high=50.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close")

    def features(self) -> tuple[Use, ...]:
        return use("spread_zscore", window=self.spread_window, other=self.other), use("correlation", window=self.correlation_window, other=self.other), use("atr", window=self.atr_window)

    def decisions(self, columns: Columns) -> tuple[Rows, ...]:
        zscore, correlation, atr = self.inputs(columns)
        together = correlation >= self.correlation_least
        leave = left(zscore >= -self.zscore_exit, zscore <= self.zscore_exit, "correlation")
        enter = entered(columns["close"], (zscore <= -self.zscore_entry) & together, (zscore >= self.zscore_entry) & together, self.stop_atr * atr, "correlation", by_side=True)
        return *leave, enter
