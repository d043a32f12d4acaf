"""Monte Carlo paths of a finished run: the sample they are drawn from, the number of parts, and their summary in plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.daily import USUAL, daily_returns
from domain.analytics.monte_carlo import MonteCarloConfig, bands, histogram, summarise
from domain.market.sessions import Calendar

POINTS, BINS = 41, 24                           # points and bins of their charts
SECONDS_A_PATH, SECONDS_A_STEP = 3e-5, 2e-8     # about, on one core
PART_SECONDS, LARGEST_PART = 2.0, 5_000         # of work that a killed worker may lose; paths


def sample_of(trades: pd.DataFrame, equity: pd.DataFrame, balance: float, market: Calendar = USUAL) -> tuple[np.ndarray, str]:
    """R of the trades in the order in which they ended, and ``trades``; where fewer than two have one, the daily returns and ``days``.

    ``trades``: exit_ts, r; ``equity``: ts, equity. Empty where there is nothing to draw from.
    """
    r = trades.sort_values("exit_ts", kind="stable")["r"].to_numpy(float)
    if np.isfinite(r).sum() > 1:
        return r[np.isfinite(r)], "trades"
    daily = daily_returns(equity, balance, market).to_numpy()
    return (daily if len(trades) and np.isfinite(daily).all() else np.zeros(0)), "days"


def parts_of(steps: int, paths: int) -> int:
    """The number of parts in which so many paths of so many steps are drawn; the result does not depend on it.

    >>> parts_of(500, 1_000), parts_of(500, 100_000), parts_of(50_000, 100_000)
    (1, 20, 52)
    """
    by_time = int(PART_SECONDS / (SECONDS_A_PATH + SECONDS_A_STEP * steps))
    return -(-paths // max(min(by_time, LARGEST_PART), 1))


def thinned(drawn: pd.DataFrame) -> pd.DataFrame:
    """Paths with no more of their points than a picture shows."""
    points = [name for name in drawn if name.startswith("p") and name[1:].isdigit()]
    at = np.unique(np.linspace(0, len(points) - 1, POINTS).astype(int))
    return drawn[["path", "final", "max_drawdown", *(points[k] for k in at)]]


def summary(drawn: pd.DataFrame, sample: np.ndarray, plan: MonteCarloConfig, kind: str) -> dict[str, Any]:
    """``figures`` of a MonteCarlo; ``fan``: quantiles after so many steps; ``falls``: a histogram of the deepest drawdowns."""
    paths = thinned(drawn)
    return dict(figures=asdict(summarise(paths, sample, plan, kind)), fan=_lists(bands(paths, len(sample))), falls=_lists(histogram(paths["max_drawdown"], BINS)))


def _lists(frame: pd.DataFrame) -> dict[str, list[Any]]:
    return {name: [round(float(value), 6) for value in frame[name]] for name in frame}
