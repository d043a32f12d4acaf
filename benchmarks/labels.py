"""Samples: labels a second, and the memory of a process that makes many."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks import workload
from benchmarks.growth import own_peak
from benchmarks.timing import Row, median
from domain.backtest.study import Series
from domain.features import Context, Use, use
from domain.features.recipes import recipe
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.strategies.breakout import Breakout
from domain.trading.rules import Rules
from domain.training.inputs import Inputs
from domain.training.samples import on_bars, on_signals
from domain.training.splits import Cpcv, folds
from domain.training.targets import TargetParams

BARS, SPEED, MEMORY = 734_000, 20_000, 1.5e9        # bars; labels a second; bytes


def rows() -> Iterator[Row]:
    given = (created((use("atr", window=14),)),)
    for what, act in (("breakout signals, each simulated alone", lambda: on_signals(given, Breakout(), "fake")), ("bars, 12 ahead", lambda: on_bars(given, "return", TargetParams(12)))):
        count, seconds = len(act()), median(act, 3, 1)
        yield Row(f"labels of {count:,} {what}, on {BARS:,} bars", seconds, goal=f"≥ {SPEED:,} a second", holds=count >= SPEED * seconds)
    samples = on_bars(given, "return", TargetParams(12)).samples
    yield Row(f"cpcv(6, 2) of {len(samples):,} samples", median(lambda: folds(samples.start, samples.end, Cpcv()), 3, 1))
    for what in ("signals", "bars"):
        peak = float(subprocess.run([sys.executable, "-m", "benchmarks.labels", what], capture_output=True, text=True, check=True).stdout.split()[-1])
        yield Row(f"samples on {what}, {BARS:,} × 50: memory of the process at its peak", None, goal=f"≤ {MEMORY / 1e9:g} GB", holds=peak <= MEMORY, figure=f"{peak / 1e9:.2f} GB")


def created(uses: tuple[Use, ...]) -> Inputs:
    series = Series(instrument("EURUSD"), Timeframe.named("M5"), workload.bars(BARS))
    return Inputs(series, Context(series.instrument, series.timeframe), uses, Rules())


def _once(what: str) -> None:
    given = (created(recipe("vector50").uses),)
    every = on_signals(given, Breakout(), "fake") if what == "signals" else on_bars(given, "return", TargetParams(12))
    assert len(every)
    print(own_peak())


if __name__ == "__main__":
    _once(sys.argv[1])
