"""External values, and when each was known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class TimedValues(NamedTuple):
    """Values and the instant from which each was known: int64 nanoseconds UTC, in order, and float64."""

    times: np.ndarray
    values: np.ndarray

    def at(self, instants: np.ndarray) -> np.ndarray:
        """The latest value known at each instant, NaN before the first.

        >>> TimedValues(np.array([10, 20]), np.array([1.0, 2.0])).at(np.array([9, 10, 19, 25])).tolist()
        [nan, 1.0, 1.0, 2.0]
        """
        row = np.searchsorted(self.times, instants, side="right") - 1
        return np.where(row >= 0, self.values[row], np.nan) if len(self.values) else np.full(len(instants), np.nan)

    def until(self, instant: int) -> TimedValues:
        """What was known at an instant."""
        last = int(np.searchsorted(self.times, instant, side="right"))
        return TimedValues(self.times[:last], self.values[:last])


NOTHING = TimedValues(np.zeros(0, np.int64), np.zeros(0))
