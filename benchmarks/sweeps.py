"""A thousand pairs of stop and target on 100,000 bars: on one core and on two, and beside vectorbt on the same decisions.

``python -m benchmarks.sweeps FIRST STEP`` is one worker process: every ``STEP``-th pair from ``FIRST``, started when a line arrives on standard input.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import others
from benchmarks import workload as load
from benchmarks.floor import LEDGER, floor
from benchmarks.timing import Row, duration
from domain.backtest.bench import Bench
from domain.backtest.study import Rules, Series
from domain.backtest.sweep import SweepRequest, evaluate, order
from domain.features import Use
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.params import param
from domain.risk.sizing import Sizing
from domain.strategies.columns import Columns, OnColumns, Rows
from domain.trading import Account, Costs

BARS, WORKERS = 100_000, 2
STOPS, TARGETS = np.linspace(0.0004, 0.004, 40), np.linspace(0.0004, 0.004, 25)
PAIRS = [(float(stop), float(target)) for stop, target in product(STOPS, TARGETS)]
BARE, FASTER, SCALED = 1.5, 15.0, 0.8       # times the bare loop, faster than vectorbt, of twice one core
THEIRS = 40             # pairs that vectorbt is timed on: it holds a column of every bar for each
RULES = Rules(Account(balance=1e6), Costs(spread=load.SPREAD, slippage=load.SLIP, commission_per_lot=3.0), sizing=Sizing("fixed_lots", 1.0))


@dataclass(frozen=True)
class Pair(OnColumns):
    """The workload's decisions, left at a stop or a target."""

    protection = ("stop", "target")

    stop: float = param(0.001)
    target: float = param(0.001)

    def features(self) -> tuple[Use, ...]:
        return ()

    def entries(self, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
        side = load.sides(BARS)[: len(columns["close"])]
        at = np.flatnonzero(side)
        return at, side[at]

    def protected(self, columns: Columns, bar: np.ndarray, side: np.ndarray) -> Rows:
        price = columns["close"][bar]
        return dict(stop_loss=price * (1 - side * self.stop), target_1=price * (1 + side * self.target))


def rows() -> Iterator[Row]:
    alone, together = (_pairs_a_second(workers) for workers in (1, WORKERS))
    ours, bare = beside_bare()
    yield Row(f"sweep, {len(PAIRS):,} pairs of stop and target × {BARS:,} bars, whole model, daily P&L", None, figure=f"{together:,.0f} a second on {WORKERS} cores")
    yield Row("one pair, CPU", ours, f"bare loop, {duration(bare)}", ours / bare, f"≤ {BARE} ×", ours <= BARE * bare)
    yield from on_real_bars(bare / BARS)
    yield Row(f"the same on one core, {WORKERS} × it against {WORKERS} cores", None, f"{WORKERS} cores", together / (WORKERS * alone), f"≥ {SCALED}", together >= SCALED * WORKERS * alone, f"{alone:,.0f} a second")
    if not others.installed("vectorbt"):
        yield Row("vectorbt: TIDEMARK_PEERS may name an interpreter that has it", None, figure="not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "given.npz")
        np.savez(file, **others.given(BARS) | dict(pairs=np.array(PAIRS[:: len(PAIRS) // THEIRS])))
        result = others.run(Path(__file__).with_name("peers") / "with_vectorbt_sweep.py", str(file))
    for engine, error in result["missing"].items():
        yield Row(f"{result['version']}, {engine} engine: {error}", None, figure="did not run")
    for engine, rate in result["a_second"].items():
        goes = engine == "rust"
        yield Row(f"{result['version']}, {engine} engine, the same pairs, equity of each bar", None, f"ours, {together:,.0f} a second", together / rate, f"≥ {FASTER:.0f} ×" if goes else "", together >= FASTER * rate if goes else None, f"{rate:,.0f} a second")


def prepared_bench() -> Bench:
    return Bench([Series(instrument("EURUSD"), Timeframe.named("M5"), load.bars(BARS), version="workload")])


def beside_bare(passes: int = 5) -> tuple[float, float]:
    """CPU seconds of a pair through a sweep's code, and of the bare loop with the same stop and target; by turns, the median of ``passes`` over all pairs."""
    bench, bars = prepared_bench(), load.bars(BARS)
    prices, sides = [bars[name].to_numpy() for name in ("open", "high", "low", "close")], load.sides(BARS)

    def bare(stop: float, target: float) -> None:
        ledger, columns = np.empty(BARS // 2, LEDGER), [np.zeros(BARS) for _ in range(4)]
        floor(*prices, sides, stop, target, target, load.SHARE, load.SPREAD, load.SLIP, ledger, *columns)     # type: ignore[call-arg]

    def ours(stop: float, target: float) -> None:
        bench.evaluate(Pair(stop, target), RULES)

    elapsed = [[_cpu(act, PAIRS) / len(PAIRS) for act in (ours, bare)] for _ in range(passes + 1)][1:]
    medians = np.median(elapsed, axis=0)
    return float(medians[0]), float(medians[1])


def _cpu(act: Callable[..., object], points: Sequence[tuple[Any, ...]]) -> float:
    begun = time.process_time()
    for point in points:
        act(*point)
    return time.process_time() - begun


def on_real_bars(bare: float) -> Iterator[Row]:
    """Breakout over lookback × stop × target on EURUSD M5 2019–2021, features and costs included, beside ``bare`` CPU seconds a bar of the bare loop."""
    file = Path(os.environ.get("TIDEMARK_DATA", "/nowhere")) / "fx/histdata/EURUSD_M5_bid_utc_2019_2021.parquet"
    if not file.is_file():
        yield Row("breakout on EURUSD M5 2019–2021: TIDEMARK_DATA may name the folder of real bars", None, figure="no bars")
        return
    bars = pd.read_parquet(file)
    bars["ts"] = bars["ts"].dt.as_unit("ns")
    rules = Rules(Account(balance=1e5), Costs(spread=0.00007, slippage=0.00002, commission_per_lot=3.0, swap_long=-6.5, swap_short=1.0), sizing=Sizing("fraction_at_risk", 0.005))
    points = [dict(lookback=k, stop_atr=stop, target_r=target) for k, stop, target in product(range(12, 108, 8), (1.0, 1.5, 2.0, 3.0, 4.0), (1.0, 1.5, 2.0, 3.0, 5.0))]
    question = SweepRequest("breakout", {}, rules, points)
    evaluate(Bench([Series(instrument("EURUSD"), Timeframe.named("M5"), bars, version="real")]), question, range(2))
    begun = time.process_time()
    part = evaluate(Bench([Series(instrument("EURUSD"), Timeframe.named("M5"), bars, version="real")]), question, order(question))
    each = (time.process_time() - begun) / len(points) / len(bars)
    figure = f"{1 / each / len(bars):,.0f} a second, {part.table['trades'].mean():,.0f} trades each"
    yield Row(f"breakout, {len(points)} combinations × {len(bars):,} bars of EURUSD M5, features, ledger and trials included", None, "bare loop, by the bar", each / bare, "≤ 2 ×", each <= 2 * bare, figure)


def _pairs_a_second(workers: int) -> float:
    """Pairs a second of ``workers`` separate processes; their one-time preparation is done before the clock starts."""
    begun = [
        subprocess.Popen([sys.executable, "-m", "benchmarks.sweeps", str(k), str(workers)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
        for k in range(workers)
    ]
    for process in begun:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    start = time.perf_counter()
    outputs = [process.communicate("go\n")[0] for process in begun] if workers == 1 else _together(begun)
    elapsed = time.perf_counter() - start
    if sum(int(text) for text in outputs) != len(PAIRS):
        raise RuntimeError("a worker process stopped early; see its message above")
    return len(PAIRS) / elapsed


def _together(begun: list[subprocess.Popen]) -> list[str]:
    for process in begun:
        process.stdin.write("go\n")      # type: ignore[union-attr]
        process.stdin.flush()            # type: ignore[union-attr]
    return [process.communicate()[0] for process in begun]


def worker(first: int, step: int) -> None:
    from worker.memory import keep_freed

    keep_freed()
    bench = prepared_bench()
    for pair in PAIRS[:2]:
        bench.evaluate(Pair(*pair), RULES)
    print("ready", flush=True)
    sys.stdin.readline()
    done = [bench.evaluate(Pair(*pair), RULES).pnl.astype(np.float32) for pair in PAIRS[first::step]]
    print(len(done), flush=True)


if __name__ == "__main__":
    worker(int(sys.argv[1]), int(sys.argv[2]))
