"""Compiles the loops of features: every feature and a regime filter on a few bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from domain.registry import discover

BARS, SEED = 1_200, 7
DAY, STEP = 86_400_000_000_000, 3_600_000_000_000       # nanoseconds


def warm(watch: Callable[[int, int, str], None] = lambda done, of, name: None, first: Sequence[str] = ()) -> int:
    """Compile, or load what was compiled; the number of columns computed on the way. ``watch`` receives the name of each function that is compiled;
    ``first``: features that are wanted before the others."""
    from domain.compiled import watched
    from domain.features import kernels

    discover(kernels.__name__, kernels.__path__)        # so that it is known how many there are
    with watched("features", watch):
        return _columns(first)


def _columns(first: Sequence[str]) -> int:
    from domain.features.base import FEATURES, use
    from domain.features.context import Context, closes
    from domain.features.engine import compute
    from domain.features.regimes import fit, observations
    from domain.market.bars import frame
    from domain.market.instrument import instrument
    from domain.market.timeframe import Timeframe
    from domain.outside.timed_values import TimedValues

    rng = np.random.default_rng(SEED)
    ts = np.datetime64("2024-01-01", "ns").astype(np.int64) + np.arange(BARS) * STEP
    close = np.exp(np.cumsum(rng.normal(0.0, 1e-3, BARS)))
    bars = frame(ts, open=close, high=close * 1.001, low=close * 0.999, close=close, volume=rng.uniform(1.0, 9.0, BARS), spread=np.full(BARS, 1e-4))
    eurusd, timeframe = instrument("EURUSD"), Timeframe.named("H1")
    close_values, days = closes(bars, eurusd, timeframe), ts[0] + DAY * np.arange(-90, 20)
    macro = {name: TimedValues(days, rng.normal(size=len(days))) for name in ("DXY", "VIX", "US10Y", "US_RATE", "EU_RATE")}
    context = Context(eurusd, timeframe, {"GBPUSD": close_values}, macro, TimedValues(ts[::20], rng.uniform(-1.0, 1.0, len(ts[::20]))), ts[::50].copy())
    table_of_features = compute(bars, [use(name) for name in [*first, *(name for name in FEATURES if name not in first)]], context)
    table = observations(bars, Context(eurusd, timeframe))
    fit(table, states=2, restarts=1).filtered(table)
    return table_of_features.shape[1] - bars.shape[1]
