"""The chance of passing a rule set: 10,000 paths × 60 days on one core, with the interval of every figure, and the
sizing curve."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.timing import Row, median
from domain.compliance import preset
from domain.compliance.drawing import ChanceConfig
from domain.compliance.passing import chance
from domain.compliance.run_days import RunDays
from domain.compliance.sizing_curve import RISKS, sizing_curve

DAYS, RISK, GOAL = 500, 0.01, 2.0
PRESET = "ftmo-1-step"  # daily loss, a trailing drawdown, a target and consistency: the most that days can judge
FEW = ChanceConfig(histories=20, inner=50)  # next to no paths for the intervals


def rows() -> Iterator[Row]:
    days, rule_set, config = run_days(), preset(PRESET), ChanceConfig()
    size = f"{config.paths:,} paths × {config.horizon} days"
    seconds = median(lambda: chance(days, rule_set, config, RISK), times=5, warm=1)
    repeated = f"and {config.histories * config.inner:,} for the intervals"
    yield Row(f"chance of passing: {size}, {repeated}", seconds, goal=f"≤ {GOAL:g} s", holds=seconds <= GOAL)
    yield Row(f"the same, {size} alone", median(lambda: chance(days, rule_set, FEW, RISK), times=5, warm=1))
    seconds = median(lambda: sizing_curve(days, rule_set), times=3, warm=1)
    yield Row(f"sizing curve, {len(RISKS)} risks on the same draws", seconds)


def run_days(count: int = DAYS, seed: int = 1) -> RunDays:
    """Days in R of a run with a small edge and a little autocorrelation."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0.0, 1.0, count + 1)
    change = 0.12 + noise[1:] + 0.3 * noise[:-1]
    low = np.minimum(change, 0.0) - rng.exponential(0.4, count)
    high = np.maximum(change, 0.0) + rng.exponential(0.4, count)
    trades = rng.integers(1, 4, count).astype(float)
    return RunDays("R", np.arange(count), change, low, high, opened=trades, closed=trades)
