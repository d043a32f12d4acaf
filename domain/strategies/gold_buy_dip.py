"""Gold Buy Dip: a dip or a rise from the recent extreme, confirmed by a z-score, averaged by a grid."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from domain.errors import BadRequest
from domain.features import Use, use
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows, sided
from domain.strategies.presets import Preset

Flags = np.ndarray      # bool, one a bar


@strategy("gold_buy_dip")
@dataclass(frozen=True)
class GoldBuyDip(OnColumns):
    """Buys after a dip from the recent high once the z-score confirms it, sells after a rise; no stop, a grid of adds and
    one target for the basket."""

    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            "conservative", "M15", dict(lot_size=0.01, percentage_threshold=1.0, zscore_wait_candles=5, max_grid_trades=3, grid_atr_multiplier=3.0, max_drawdown_percent=8.0),
            "A hundredth of a lot, two adds three ATRs apart, and an end at a drawdown of 8 %.",
        ),
        Preset(
            "aggressive", "M1", dict(percentage_threshold=0.3, lookback_candles=60, zscore_threshold_buy=-2.5, zscore_threshold_sell=2.5, take_profit=100.0, max_grid_trades=8, grid_atr_multiplier=2.0, use_progressive_lots=True),
            "Small dips of the last hour, seven adds, each half as large again.",
        ),
        Preset("H1", "H1", dict(percentage_threshold=1.5, zscore_wait_candles=6, grid_atr_multiplier=1.5, max_drawdown_percent=30.0), "The defaults on hours, with smaller dips and a wider grid."),
    )  # fmt: skip

    lot_size: float = param(0.1, low=1e-6, high=1e6, unit="lots", help="lots of the first entry")
    take_profit: float = param(200.0, low=0.001, high=1e9, unit="ticks", title="Basket target", help="distance of the target from the average entry price, in the instrument's smallest price steps (XAUUSD: 200 are 2.00)")
    percentage_threshold: float = param(2.0, low=0.0, high=100.0, unit="%", title="Dip or rise", help="how far the close must be from the highest high (buy) or the lowest low (sell) of the lookback")
    lookback_candles: int = param(50, low=2, high=100_000, unit="bars", title="Lookback", help="bars of the highest high and the lowest low, the current one included")
    zscore_wait_candles: int = param(10, low=0, high=100_000, unit="bars", title="Wait for the z-score", help="bars that a dip or rise may be old when the z-score confirms it")
    zscore_threshold_sell: float = param(3.0, low=0.0, high=1_000.0, unit="standard deviations", title="Z-score to sell", help="sell where the z-score is at least this")
    zscore_threshold_buy: float = param(-3.0, low=-1_000.0, high=0.0, unit="standard deviations", title="Z-score to buy", help="buy where the z-score is at most this")
    zscore_period: int = param(20, low=2, high=100_000, unit="bars", title="Z-score length", help="closes that the z-score is measured over")
    magic_number: int = param(12_345, low=0, high=2**53 - 1, unit="", help="tag of the positions: one is open at a time")
    use_take_profit_percent: bool = param(False, unit="", title="Basket target in %", help="the basket target is take_profit_percent of the close instead of take_profit")
    take_profit_percent: float = param(1.0, low=0.001, high=1_000.0, unit="% of price", title="Basket target, percent", help="distance of the target from the average entry price")
    use_grid_trading: bool = param(True, unit="", title="Grid", help="add to a losing position")
    max_grid_trades: int = param(5, low=1, high=1_000, unit="entries", title="Max. entries of the grid", help="entries of one basket, the first included: 5 are four adds")
    use_grid_percent: bool = param(False, unit="", title="Grid spacing in %", help="the spacing is grid_percent of the close instead of a multiple of the ATR")
    grid_percent: float = param(0.5, low=0.001, high=100.0, unit="% of price", title="Grid spacing, percent", help="adverse move between two entries")
    grid_atr_multiplier: float = param(1.0, low=0.001, high=1_000.0, unit="ATR", title="Grid spacing (× ATR)", help="adverse move between two entries")
    atr_period: int = param(14, low=1, high=100_000, unit="bars", title="ATR length", help="length of the ATR")
    grid_lot_multiplier: float = param(1.0, low=0.001, high=1_000.0, unit="× first lots", title="Lots of the first add", help="lots of the first add as a multiple of the entry's")
    use_progressive_lots: bool = param(False, unit="", title="Progressive lots", help="each further add is larger than the one before")
    lot_progression_factor: float = param(1.5, low=0.001, high=1_000.0, unit="× previous lots", title="Lots of further adds", help="with progressive lots: lots of each further add as a multiple of the one before")
    max_drawdown_percent: float = param(50.0, low=0.0, high=100.0, unit="%", title="Max. drawdown", help="drawdown of the account at which everything is closed for good, if the account's own limit is not stricter; 0: none")

    def __post_init__(self) -> None:
        reach = (self.zscore_period - 1) / sqrt(self.zscore_period)
        for name in ("zscore_threshold_sell", "zscore_threshold_buy"):
            threshold = getattr(self, name)
            if abs(threshold) > reach:
                raise BadRequest(f"{name} is {threshold:g}, out of reach of {self.zscore_period} closes: their z-score is at most {reach:.4f}. Take a smaller threshold or a longer zscore_period")

    @property
    def memory(self) -> int:        # type: ignore[override]
        """The bars of the wait, and this one."""
        return self.zscore_wait_candles + 1

    @property
    def max_drawdown(self) -> float:
        """Share of the peak at which the account halts; 0: none."""
        return self.max_drawdown_percent / 100

    def features(self) -> tuple[Use, ...]:
        before = self.lookback_candles - 1
        return (
            use("channel_high", window=before),
            use("channel_low", window=before),
            use("zscore", window=self.zscore_period),
            *([use("tick_size")] if not self.use_take_profit_percent else []),
            *([use("atr", window=self.atr_period)] if self.use_grid_trading and not self.use_grid_percent else []),
        )

    def decisions(self, columns: Columns) -> Rows:
        bar, side = sided(*self._confirmed(columns))
        target, spacing = self._distances(columns, bar)
        possible = (target > 0) & (spacing > 0)
        return dict(
            bar=bar[possible],
            side=side[possible],
            lots=self.lot_size,
            grid_spacing=spacing[possible],
            grid_max_adds=self.max_grid_trades - 1 if self.use_grid_trading else 0,
            grid_first_factor=self.grid_lot_multiplier,
            grid_lots_factor=self.lot_progression_factor if self.use_progressive_lots else 1.0,
            grid_basket_target=target[possible],
            tag=str(self.magic_number),
        )

    def _confirmed(self, columns: Columns) -> tuple[Flags, Flags]:
        """Where the z-score of a bar confirms a dip, and a rise, of that bar or one of those before it."""
        high_before, low_before, score = self.inputs(columns)[:3]
        close, buys, sells = columns["close"], score <= self.zscore_threshold_buy, score >= self.zscore_threshold_sell
        if buys.any():
            highest = np.maximum(high_before, columns["high"])
            buys &= self._lately(100 * (highest - close), highest)
        if sells.any():
            lowest = np.minimum(low_before, columns["low"])
            sells &= self._lately(100 * (close - lowest), lowest)
        return buys, sells

    def _lately(self, moved: np.ndarray, extreme: np.ndarray) -> Flags:
        """Where the share ``moved / extreme``, in percent, has reached the threshold on this bar or one of the wait before it."""
        share = np.divide(moved, extreme, out=np.full(len(moved), np.nan), where=extreme > 0)
        number = np.arange(len(share))
        return number - np.maximum.accumulate(np.where(share >= self.percentage_threshold, number, -self.memory)) <= self.zscore_wait_candles

    def _distances(self, columns: Columns, bar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Basket target and spacing of the grid at these bars, in price units. Without a grid the spacing means nothing."""
        price, further = np.abs(columns["close"][bar]), iter(self.inputs(columns)[3:])
        target = price * (self.take_profit_percent / 100) if self.use_take_profit_percent else self.take_profit * next(further)[bar]
        if not self.use_grid_trading:
            return target, target
        return target, price * (self.grid_percent / 100) if self.use_grid_percent else self.grid_atr_multiplier * next(further)[bar]
