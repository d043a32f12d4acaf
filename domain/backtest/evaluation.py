"""The figures of one combination, from the rows of its run or from what the lane of a sweep leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from domain.analytics.daily import before_each, from_last_to_last
from domain.analytics.guards import finite
from domain.analytics.metrics import METRICS, Facts
from domain.backtest.kernel.curve import deepest_falls
from domain.market.sessions import Calendar
from domain.optimise.objective import FIGURES


@dataclass(frozen=True)
class Evaluation:
    """The result of one combination. ``pnl``: of each day, share of the start balance. ``sharpe``: daily, not annualised, NaN for none.
    ``day_ends``: equity at the end of each day."""

    figures: dict[str, float | None]
    days: np.ndarray
    pnl: np.ndarray
    sharpe: float
    signals: int
    day_ends: np.ndarray = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Results:
    """A number a trade, by the names of the columns of a table of trades."""

    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.columns["pnl"])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]


@dataclass(frozen=True)
class Curve(Facts):
    """Facts of a run whose days are known before it: ``day_ends`` is the last equity of each. ``falls``: see ``deepest_falls``."""

    day_ends: np.ndarray
    falls: tuple[float, float] | None = None

    @cached_property
    def daily(self) -> np.ndarray:
        return from_last_to_last(self.day_ends, self.start)

    @cached_property
    def drawdowns(self) -> tuple[float, float]:
        closes, extremes = self.falls or deepest_falls(self.equity, self.low, self.start)
        return closes - 1.0, extremes - 1.0

    @cached_property
    def pnl(self) -> np.ndarray:
        return self.trades["pnl"]

    @cached_property
    def r(self) -> np.ndarray:
        r = self.trades["r"]
        return r[np.isfinite(r)]


def curve_of(start: float, ts: np.ndarray, results: Results, market: Calendar, day_ends: np.ndarray, falls: tuple[float, float]) -> Curve:
    """Facts without a row per bar: equity is known at the ends of days alone. ``ts``: of the first row and of the last."""
    return Curve(start, ts, day_ends, day_ends, day_ends, results, 0.0, 0.0, np.nan, market, day_ends, falls)


def evaluated(facts: Curve, days: np.ndarray, signals: int) -> Evaluation:
    with np.errstate(all="ignore"):
        figures = {name: finite(METRICS[name].value(facts)) for name in FIGURES}
    ends = facts.day_ends
    return Evaluation(figures, days, (ends - before_each(ends, facts.start)) / facts.start, facts.daily_sharpe, signals, ends)
