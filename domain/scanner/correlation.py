"""How the instruments of a scan move together: the correlation that the account's limit uses (docs/execution.md, section 9), before one day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from domain.market.zones import DAY


class DailyCloses(NamedTuple):
    """``day``: UTC days since 1970 on which a bar ended, ascending. ``close``: the last close of each."""

    day: np.ndarray
    close: np.ndarray


class Correlations(NamedTuple):
    """``rho``: of every two of ``names``, 1 with itself, NaN where there are too few common days or one did not move."""

    names: tuple[str, ...]
    rho: np.ndarray

    def of(self, a: str, b: str) -> float:
        """NaN for a name that is not there."""
        if a == b:
            return 1.0
        if a not in self.names or b not in self.names:
            return float("nan")
        return float(self.rho[self.names.index(a), self.names.index(b)])


def daily_closes(end: np.ndarray, close: np.ndarray) -> DailyCloses:
    """``end``: of each bar, nanoseconds UTC, ascending."""
    day = end // DAY
    last = np.concatenate((np.flatnonzero(np.diff(day)), [len(day) - 1]))
    return DailyCloses(day[last], close[last])


def correlations(closes: Mapping[str, DailyCloses], at: int, window: int) -> Correlations:
    """Pearson's correlation of the last ``window`` daily changes of every two instruments, up to the last common day before the day of ``at`` (nanoseconds UTC).

    >>> up = DailyCloses(np.arange(4), np.array([1.0, 2.0, 4.0, 5.0]))
    >>> down = DailyCloses(np.arange(4), np.array([9.0, 8.0, 6.0, 5.0]))
    >>> round(correlations({"A": up, "B": down}, 4 * DAY, 3).of("A", "B"), 12)
    -1.0
    """
    names, before = tuple(closes), at // DAY
    rho = np.eye(len(names))
    for a in range(len(names)):
        for b in range(a):
            rho[a, b] = rho[b, a] = _pair(closes[names[a]], closes[names[b]], before, window)
    return Correlations(names, rho)


def _pair(a: DailyCloses, b: DailyCloses, before: int, window: int) -> float:
    common, at_a, at_b = np.intersect1d(a.day, b.day, assume_unique=True, return_indices=True)
    last = int(np.searchsorted(common, before))
    if last <= window:
        return float("nan")
    x, y = (_changes(series.close[at[:last]], window) for series, at in ((a, at_a), (b, at_b)))
    if np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()), -1.0, 1.0))


def _changes(close: np.ndarray, window: int) -> np.ndarray:
    """On the grid of 1e-9, as the limit compares them."""
    return np.rint(np.diff(close)[-window:] * 1e9) / 1e9
