"""Features, regimes and the feature laboratory: all at once, bar by bar, and beside TA-Lib where it is installed."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import others, stages
from benchmarks import workload as load
from benchmarks.timing import Row, duration, median, steady
from domain.features import Context, closes, compute, parse
from domain.features.engine import FeatureTable
from domain.features.recipes import recipe
from domain.features.regimes import fit
from domain.features.stream import Stream
from domain.laboratory.study import examine
from domain.laboratory.targets import forward_return
from domain.outside.timed_values import TimedValues

DAY = 86_400_000_000_000        # nanoseconds
FULL, STEP, FILTER, TALIB, LABORATORY = 1.5, 2e-3, 50e-9, 1.2, 60.0
HISTORY, APPENDED = 20_000, 300
EXAMINED, COLUMNS, HORIZON = 224_000, 50, 12
TRAINED, STATES = 100_000, 3
TIMES = 31


@cache
def market() -> tuple[pd.DataFrame, Context]:
    """The workload's bars with volume and spread, three other instruments, five daily series, headlines and releases."""
    rng = np.random.default_rng(load.SEED)
    bars = load.bars().assign(volume=rng.gamma(2.0, 200.0, load.BARS), spread=np.round(rng.gamma(4.0, 2e-5, load.BARS), 5))
    eurusd = closes(bars, stages.EURUSD, stages.M5)
    walks = {name: TimedValues(eurusd.times, eurusd.values * np.exp(np.cumsum(rng.normal(0.0, 1e-4, load.BARS)))) for name in ("GBPUSD", "USDJPY", "XAUUSD")}
    days = np.arange(eurusd.times[0] // DAY - 400, eurusd.times[-1] // DAY) * DAY
    macro = {name: TimedValues(days, 50.0 + np.cumsum(rng.normal(0.0, 1.0, len(days)))) for name in ("DXY", "VIX", "US10Y", "US_RATE", "EU_RATE")}
    news = np.sort(rng.integers(eurusd.times[0], eurusd.times[-1], 20_000))
    return bars, Context(stages.EURUSD, stages.M5, walks, macro, TimedValues(news, rng.uniform(-1.0, 1.0, len(news))), news[::20].copy())


def rows() -> Iterator[Row]:
    bars, context = market()
    uses = recipe("full").uses
    elapsed = median(lambda: compute(bars, uses, context), 5, 1)
    yield Row(f"features: full, {len(uses)} columns, {len(bars):,} bars", elapsed, goal=f"≤ {FULL} s", holds=elapsed <= FULL)
    seconds = _appended()
    yield Row(f"features: full, one bar appended after {HISTORY:,}", seconds, goal=f"≤ {STEP * 1e3:.0f} ms", holds=seconds <= STEP)
    yield from _beside_talib(bars, context)
    yield from _regimes()
    yield _laboratory()


def _appended() -> float:
    """Seconds of the median bar."""
    bars, context = market()
    stream = Stream(bars.iloc[:HISTORY], recipe("full").uses, context)
    now = context.ends(bars.iloc[: HISTORY + APPENDED])
    others_now, macro_now = ({name: series.at(now) for name, series in family.items()} for family in (context.others, context.macro))
    elapsed = []
    for row, bar in enumerate(bars.iloc[HISTORY : HISTORY + APPENDED].to_dict("records"), HISTORY):
        closed, outside = ({name: values[row] for name, values in family.items()} for family in (others_now, macro_now))
        start = time.perf_counter()
        stream.append(bar, closed, outside)
        elapsed.append(time.perf_counter() - start)
    return statistics.median(elapsed)


def _beside_talib(bars: pd.DataFrame, context: Context) -> Iterator[Row]:
    if not others.installed("talib"):
        yield Row("TA-Lib: TIDEMARK_PEERS may name an interpreter that has it", None, figure="not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "given.npz")
        np.savez(file, **{name: bars[name].to_numpy() for name in ("high", "low", "close")})
        result = others.run(Path(__file__).with_name("peers") / "with_talib.py", str(file), str(TIMES))
    for text, theirs in result["seconds"].items():
        ours = steady(lambda text=text: FeatureTable(bars, context).column(parse(text)), TIMES)      # type: ignore[misc]
        yield Row(f"features: {text}, its inputs too", ours, f"{result['version']}, {duration(theirs)}", ours / theirs, f"≤ {TALIB} ×", ours <= TALIB * theirs)


def _regimes() -> Iterator[Row]:
    rng = np.random.default_rng(load.SEED)
    table = pd.DataFrame(rng.normal(size=(load.BARS, 4)) * np.repeat([1.0, 2.0, 4.0, 2.0], load.BARS // 4 + 1)[: load.BARS, None], columns=[f"x{k}" for k in range(4)])
    mixed = table.iloc[rng.permutation(load.BARS)[:TRAINED]].reset_index(drop=True)
    learnt = median(lambda: fit(mixed, "hmm", STATES, restarts=1), 1, 0)
    yield Row(f"regimes: hidden Markov model fitted once, {TRAINED:,} × 4, {STATES} states", learnt)
    model = fit(mixed.iloc[:5_000], "hmm", STATES, restarts=1)
    elapsed = median(lambda: model.filtered(table), 5, 1)
    seconds = elapsed / load.BARS / STATES
    yield Row(f"regimes: filter of {load.BARS:,} × 4, {STATES} states", elapsed, goal=f"≤ {FILTER * 1e9:.0f} ns a bar and state", holds=seconds <= FILTER, figure="")


def _laboratory() -> Row:
    bars, context = market()
    names = [use for use in recipe("full").uses if not use.name.startswith(("day_", "previous_", "swing_"))][:COLUMNS]
    frame = compute(bars.iloc[:EXAMINED], names, context)
    target = forward_return(frame, HORIZON)
    elapsed = median(lambda: examine(frame, [name.column for name in names], target), 1, 0)
    return Row(f"laboratory: {len(names)} features × {EXAMINED:,} bars", elapsed, goal=f"≤ {LABORATORY:.0f} s", holds=elapsed <= LABORATORY)


