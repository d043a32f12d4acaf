"""Expected best Sharpe ratio among many trials without any edge, and the deflated Sharpe ratio of the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.analytics import significance_of
from domain.analytics.guards import finite
from domain.analytics.returns import DAILY
from domain.analytics.significance import luck
from worker.store.selection import FEWEST


@dataclass(frozen=True)
class Luck:
    """``trials`` on these bars with this strategy; ``sharpe``: what the best of them reaches on average without any edge, a year;
    ``dsr``: probability that the best one's true Sharpe ratio is above that. None: not known."""

    trials: int
    sharpe: float | None
    dsr: float | None


def of_best(best: Mapping[str, Any] | None, trials: int, sharpes: Sequence[float], pnl: np.ndarray, days_a_year: float) -> Luck:
    """Of a sweep. ``best``: the row with the highest Sharpe ratio; ``pnl``: its profit or loss of each day, share of the start balance;
    ``sharpes``: daily ones of all trials that are known."""
    if best is None or best["sharpe_daily"] is None:
        return Luck(trials, None, None)
    before = 1.0 + np.concatenate(([0.0], np.cumsum(pnl.astype(float))[:-1]))
    significance = significance_of(np.where(before > 0, pnl / before, np.nan), max(trials, 1), variance(sharpes), days_a_year)
    return Luck(trials, significance.luck_year, significance.dsr)


def of_search(trials: int, sharpes: Sequence[float], days_a_year: float) -> Luck:
    """Luck of a search, which stores no daily returns, so there is no deflated Sharpe ratio."""
    spread = variance(sharpes)
    return Luck(trials, None if spread is None else finite(luck(2, max(trials, 1), spread) * days_a_year**0.5), None)


def variance(sharpes: Sequence[float]) -> float | None:
    return float(np.var(sharpes, ddof=1)) if len(sharpes) >= FEWEST else None


def days_a_year_of(summary: Mapping[str, Any]) -> float:
    """Trading days a year of a run's annualised ratios; older runs do not say and used 252."""
    return float(summary.get("days_a_year", DAILY))
