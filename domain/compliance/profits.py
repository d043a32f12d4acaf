"""Profits of counted days, gathered stretch by stretch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.compliance.stretch import Stretch


class DayProfits(NamedTuple):
    """``best``, ``positive``, ``enough``: of the days that have ended before each day of the stretch; ``running``: of the day so far, at each row."""

    best: np.ndarray  # the best day, 0 where none was profitable
    positive: np.ndarray  # sum of the profitable days
    enough: np.ndarray  # days with at least the profit that is required
    running: np.ndarray


@dataclass
class Gathered:
    """``least``: the profit from which on a day counts."""

    least: float = np.inf
    basis: float | None = None
    best: float = 0.0
    positive: float = 0.0
    enough: int = 0

    def read(self, stretch: Stretch, basis: np.ndarray, ended: np.ndarray, value: np.ndarray) -> DayProfits:
        """``basis``: where each day begins; ``ended``: where the day before it ended; ``value``: where each row stands."""
        before = np.concatenate(
            [[self.basis if self.basis is not None and stretch.days.begins[0] else ended[0]], basis[:-1]]
        )
        profits = ended - before
        counted = (
            profits >= self.least - 1e-9 * abs(self.least) if np.isfinite(self.least) else np.zeros(len(profits), bool)
        )
        counted[0] &= self.basis is not None and bool(stretch.days.begins[0])
        best = np.maximum(np.maximum.accumulate(profits), self.best)
        positive = self.positive + np.cumsum(np.maximum(profits, 0.0))
        enough = self.enough + np.cumsum(counted)
        self.basis, self.best, self.positive, self.enough = (
            float(basis[-1]),
            float(best[-1]),
            float(positive[-1]),
            int(enough[-1]),
        )
        return DayProfits(best, positive, enough, value - stretch.by_day(basis))
