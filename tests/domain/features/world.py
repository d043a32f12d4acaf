"""A small market with everything around it that a feature may look at, made from fixed seeds."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from domain.features import Context, closes
from domain.market.bars import ts_of
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.outside.timed_values import TimedValues
from domain.venues.synthetic import RegimeSwitching, generate

START, END = (pd.Timestamp(day, tz="UTC").to_pydatetime() for day in ("2024-02-01", "2024-03-20"))
OTHERS = ("GBPUSD", "USDJPY", "XAUUSD")
SERIES = ("DXY", "VIX", "US10Y", "US_RATE", "EU_RATE")
DAY = 86_400_000_000_000
TIMEFRAME = Timeframe.named("M15")


@lru_cache
def market(length: int = 3_000, seed: int = 5) -> tuple[pd.DataFrame, Context]:
    """Bars of EURUSD, some with no volume or spread told, and three other instruments, five daily series, headlines and releases."""
    rng = np.random.default_rng(seed)
    bars = _bars("EURUSD", seed).iloc[:length].copy()
    bars["volume"] = np.round(rng.gamma(2.0, 200.0, len(bars)))
    bars["spread"] = np.round(rng.gamma(4.0, 2e-5, len(bars)), 5)
    others = {name: closes(_bars(name, seed + 1 + k), instrument(name), TIMEFRAME) for k, name in enumerate(OTHERS)}
    days = ts_of(bars)[0] // DAY * DAY + DAY * np.arange(-400, 60)
    macro = {name: TimedValues(days, 50 + np.cumsum(rng.normal(0, 1, len(days)))) for name in SERIES}
    news = np.sort(rng.integers(int(ts_of(bars)[0]), int(ts_of(bars)[-1]), 150))
    releases = np.sort(rng.integers(int(ts_of(bars)[0]), int(ts_of(bars)[-1]) + 9 * DAY, 40))
    context = Context(instrument("EURUSD"), TIMEFRAME, others, macro, TimedValues(news, rng.uniform(-1, 1, len(news))), releases)
    return bars, replace(context, forecasts=_forecasts(context.ends(bars), rng))


def _forecasts(ends: np.ndarray, rng: np.random.Generator) -> dict[str, TimedValues]:
    """Quantiles of a return at most bars, about a middle that wanders; now and then two of them cross."""
    at = ends[rng.random(len(ends)) < 0.9]
    middle, width = 4e-4 * np.sin(np.arange(len(at)) / 9), rng.gamma(8.0, 1e-4, len(at))
    steps = dict(q05=-1.6, q10=-1.2, q25=-0.5, q50=0.0, q75=0.5, q90=1.2, q95=1.6)
    crossed = rng.random(len(at)) < 0.03
    return {name: TimedValues(at, middle + np.where(crossed & (name == "q90"), -1.0, step) * width) for name, step in steps.items()}


def _bars(name: str, seed: int) -> pd.DataFrame:
    return generate(RegimeSwitching(), instrument(name), TIMEFRAME, START, END, seed=seed)
