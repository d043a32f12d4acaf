"""What the strategies by quantiles share: a quantile beyond the costs enters, others are stop and targets, the horizon ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from domain.errors import BadRequest
from domain.features import Use, use
from domain.outside.forecasts import QUANTILES
from domain.params import param
from domain.strategies.columns import Columns, OnColumns, Rows, begins, sided


def level(default: str, title: str, what: str) -> str:
    chosen: str = param(default, choices=QUANTILES, unit="", title=title, help=f"quantile of a long {what}; a short mirrors it, q05 to q95")
    return chosen


@dataclass(frozen=True)
class ByQuantiles(OnColumns):
    """Base of the strategies by quantiles q05 … q95 of the log return over the horizon, which a model or a file gives.

    c = spread / close, the bar's own spread or else the instrument's default. Long where ``entry`` > costs · c, stop at C · e^stop,
    ``first_share`` of the lots out at C · e^first_target, the rest at C · e^second_target, all after ``horizon`` bars; a short with the quantiles mirrored
    (q05 ↔ q95) and their signs. No signal where one of the seven quantiles or c is unknown, where two of them cross, or where the stop would not lie beyond the close.
    A signal where this is true at t and was not at t − 1.
    """

    memory = 2
    needs_forecasts: ClassVar[bool] = True
    required: ClassVar[tuple[str, ...]] = ("forecast",)
    tag: ClassVar[str] = ""

    horizon: int = param(12, low=1, high=1_000_000, unit="bars", help="bars that the quantiles look ahead, after which a position is closed; that of the model")
    entry: str = level("q50", "Entry quantile", "that must exceed the costs")
    costs: float = param(1.0, low=0.0, high=1_000.0, unit="× spread", title="Costs to exceed", help="multiple of the spread, as a share of the close, that the entry quantile must exceed")
    stop: str = level("q10", "Stop quantile", "at which its stop lies")
    first_target: str = level("q75", "First target quantile", "at which its first target lies")
    second_target: str = level("q90", "Second target quantile", "at which its second target lies")
    first_share: float = param(0.5, low=0.01, high=0.99, unit="share of the lots", title="Out at the first target", help="the rest leaves at the second target")

    def __post_init__(self) -> None:
        if not self.stop < self.entry <= self.first_target <= self.second_target:
            raise BadRequest(f"stop {self.stop}, entry {self.entry}, targets {self.first_target} and {self.second_target} are not in this order; the stop lies below the entry's quantile and the targets above it")

    def features(self) -> tuple[Use, ...]:
        return use("spread_share"), *(use("forecast", name=name) for name in QUANTILES)

    def decisions(self, columns: Columns) -> Rows:
        cost, *quantiles = self.inputs(columns)
        rising, falling = dict(zip(QUANTILES, quantiles, strict=True)), dict(zip(QUANTILES, quantiles[::-1], strict=True))
        close, level = columns["close"], self.costs * cost
        long, short = rising[self.entry] > level, falling[self.entry] < -level
        if long.any() or short.any():
            together = np.array(quantiles)
            ordered = (together[1:] >= together[:-1]).all(axis=0) & (close > 0)
            long &= ordered & (close * np.exp(rising[self.stop]) < close)
            short &= ordered & (close * np.exp(falling[self.stop]) > close)
        bar, side = sided(begins(long), begins(short))
        stop, first, second = (close[bar] * np.exp(np.where(side > 0, rising[name][bar], falling[name][bar])) for name in (self.stop, self.first_target, self.second_target))
        return dict(
            bar=bar, side=side, order="market", stop_loss=stop, target_1=first, fraction_1=self.first_share, target_2=second, fraction_2=1.0 - self.first_share, max_bars=self.horizon, tag=self.tag,
        )  # fmt: skip
