"""The correlation of a scan is the one of the account's limit."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from domain.backtest.limit_tables import correlations as limits_correlations
from domain.market import instruments
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY
from domain.scanner.correlation import correlations, daily_closes
from domain.trading.task import Task

HOUR = DAY // 24


def walk(seed, hours, gap=None):
    rng = np.random.default_rng(seed)
    ts = (19_700 * 24 + np.arange(hours)) * HOUR
    if gap:
        ts = np.delete(ts, slice(*gap))
    return ts, 100 + np.cumsum(rng.normal(size=len(ts)))


def test_it_is_the_correlation_that_the_limit_refuses_by():
    """Of the day of the last bar, from all bars that ended: the kernel's table at the same day."""
    series = {"EURUSD": walk(1, 24 * 30), "GBPUSD": walk(2, 24 * 28, (50, 110)), "XAUUSD": walk(3, 24 * 30)}
    tasks = [Task(instruments()[name], Timeframe.named("H1"), pd.DataFrame(), pd.DataFrame()) for name in series]
    ts, closes = [ts for ts, _ in series.values()], [close for _, close in series.values()]
    rho, _, days = limits_correlations(tasks, [each + HOUR for each in ts], closes, ts, 10)
    last = max(int(each[-1]) for each in ts)
    result = correlations({name: daily_closes(t + HOUR, close) for name, (t, close) in series.items()}, last, 10)
    for a, first in enumerate(series):
        for b, second in enumerate(series):
            if a != b:
                assert math.isclose(result.of(first, second), rho[a * 3 + b, days - 1], abs_tol=1e-12)
    assert result.of("EURUSD", "EURUSD") == 1.0


def test_too_few_common_days_and_flat_series_are_unknown():
    few, flat = walk(1, 24 * 9), (walk(1, 24 * 30)[0], np.full(24 * 30, 1.0))
    closes = {name: daily_closes(ts + HOUR, close) for name, (ts, close) in dict(A=few, B=walk(2, 24 * 30), C=flat).items()}
    result = correlations(closes, 20_000 * DAY, 10)
    assert math.isnan(result.of("A", "B")) and math.isnan(result.of("B", "C")) and math.isnan(result.of("B", "D"))
