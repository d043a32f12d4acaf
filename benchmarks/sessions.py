"""Trading sessions: a replay as fast as possible, a thousand of them at one bar a second, and how soon they are back after their process was killed."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import psutil

from benchmarks.session_world import DEAD, FIRST, MINUTE, SERIES, Ticks, TickSource, begin, runner_of, take_up, workspace
from benchmarks.timing import Row
from domain.market.bars import frame
from worker.sessions.runner import Runner
from worker.settings import Settings
from worker.store import Store

BARS, SESSIONS, ROUNDS, SLICES = 10_000, 1_000, 12, 20
BEFORE = 50                 # bars that a session has seen when it is measured: its features are known
FEW, LONG = 50, 300         # sessions that are to be back within 10 s, and the bars on the tape of each


def rows() -> Iterator[Row]:
    with workspace() as (store, settings):
        yield from replayed(store, settings)
    with workspace() as (store, settings):
        yield from few_back(store, settings)
    with workspace() as (store, settings):
        yield from thousand(store, settings)
    with workspace() as (store, settings):
        yield from thousand(store, settings, apart=True)


def replayed(store: Store, settings: Settings) -> Iterator[Row]:
    """Of stored bars, everything written."""
    price = 1.1 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 2e-4, BARS + 1)))
    opens, closes = price[:-1], price[1:]
    bars = frame(FIRST + np.arange(BARS) * MINUTE, open=opens, high=np.maximum(opens, closes), low=np.minimum(opens, closes), close=closes, volume=np.ones(BARS), spread=np.full(BARS, 1e-4))
    begin(store, 1, dict(feed="replay", frames={SERIES: store.frames.put(bars)}, speed=0), prefix="replay")
    runner = runner_of(store, settings)
    runner.step()
    wall, cpu, before = time.perf_counter(), time.process_time(), written(store)
    while runner.held or not before:
        runner.step()
    count, wall, cpu = BARS - before, time.perf_counter() - wall, time.process_time() - cpu
    yield Row("a session replays stored bars as fast as possible, everything written", None, goal="2,000 bars/s", holds=count / wall >= 2_000, figure=f"{count / wall:,.0f} bars/s")
    yield Row("the same by processor time", None, figure=f"{count / cpu:,.0f} bars/s")


def written(store: Store) -> int:
    with store.read() as unit:
        progress = unit.sessions.progress("replay0")
        return progress.bars if progress else 0


def few_back(store: Store, settings: Settings) -> Iterator[Row]:
    """The process of some sessions is killed, the next one is started."""
    source = TickSource()
    begin(store, FEW, {"feed": "benchmark"}, prefix="task")
    runner = runner_of(store, settings, owner=DEAD)
    take_up(runner, FEW)
    for _ in range(LONG):
        advance(runner, source.sources)
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "benchmarks.session_world", str(settings.home), str(FEW)], stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        seconds = time.perf_counter() - began
    yield Row(f"{FEW} sessions of {LONG} bars are taken up again, with the start of their process", seconds, goal="10 s", holds=seconds <= 10 and line.strip() == "held")


def thousand(store: Store, settings: Settings, apart: bool = False) -> Iterator[Row]:
    """``apart``: each has parameters of its own, so that none decides what another one does; else all of them have the same question."""
    source, anchor = TickSource(), commit(store)
    begin(store, SESSIONS, {"feed": "benchmark"}, "task", apart)
    before = psutil.Process().memory_info().rss
    runner = runner_of(store, settings, owner=DEAD)
    take_up(runner, SESSIONS)
    for _ in range(BEFORE):
        advance(runner, source.sources)
    taken = (psutil.Process().memory_info().rss - before) / SESSIONS / 1e6
    if not apart:
        yield kernel()
    whole = [advance(runner, source.sources) for _ in range(ROUNDS)]
    spread = [advance(runner, source.sources[part::SLICES]) for _ in range(ROUNDS) for part in range(SLICES)]
    cpu, at_once = sum(seconds for _, seconds in spread) / ROUNDS, statistics.median(seconds for _, seconds in whole) / SESSIONS
    which = f"{SESSIONS:,} sessions" + (", each with parameters of its own" if apart else "")
    yield Row(f"{which}, at one bar a second, spread over it: share of a core", None, goal="25 %", holds=cpu <= 0.25, figure=f"{100 * cpu:.0f} %")
    yield Row(f"{which}: one bar of one at one instant, durable, processor time", None, goal="250 µs", holds=at_once <= 250e-6, figure=f"{1e6 * at_once:.0f} µs")
    yield latency(which, "spread over the second", [wall for wall, _ in spread], 0.1, anchor)
    yield latency(which, "at one instant", [wall for wall, _ in whole], 0.5, anchor)
    yield Row(f"{which}: memory of one", None, goal="1 MB", holds=taken <= 1, figure=f"{taken:.2f} MB")
    yield many_back(which, store, settings)


def commit(store: Store) -> float:
    """Seconds of a small transaction until it is durable: what the others are held against."""
    elapsed = []
    for number in range(50):
        began = time.perf_counter()
        with store.unit() as unit:
            unit.remember("benchmark", number)
        elapsed.append(time.perf_counter() - began)
    return statistics.median(elapsed)


def advance(runner: Runner, ticks: list[Ticks]) -> tuple[float, float]:
    """One bar of these sessions until it is durable: seconds by the clock, and of this process."""
    for each in ticks:
        each.inbox.append(each.at + 1)
    wall, cpu = time.perf_counter(), time.process_time()
    runner.step()
    return time.perf_counter() - wall, time.process_time() - cpu


def latency(which: str, when: str, seconds: list[float], goal: float, anchor: float) -> Row:
    p99 = float(np.quantile(seconds, 0.99))
    return Row(f"{which}: bars {when} are durable, 99 of 100", p99, "one small commit", p99 / anchor, f"{goal * 1e3:.0f} ms", p99 <= goal)


def kernel() -> Row:
    """The kernel's call alone, on a bar that decides nothing."""
    from domain.backtest.live import LiveSeries, LiveSimulation
    from domain.market.instrument import instrument
    from domain.market.timeframe import Timeframe

    account, elapsed = LiveSimulation([LiveSeries(instrument("EURUSD"), Timeframe.named("M1"))]), list[float]()
    step = account.account.step

    def timed() -> None:
        began = time.perf_counter()
        step()
        elapsed.append(time.perf_counter() - began)

    account.account.step = timed        # type: ignore[method-assign]
    for number in range(2_000):
        account.open(0, FIRST + number * MINUTE, 1.1)
        account.end(0, 1.1, 1.1, 1.1)
        account.advance(FIRST + number * MINUTE, lambda k, end: ())
    median = statistics.median(elapsed)
    return Row("the kernel, one instant of a session", None, goal="5 µs", holds=median <= 5e-6, figure=f"{1e6 * median:.1f} µs")


def many_back(which: str, store: Store, settings: Settings) -> Row:
    """The process of all of them is dead, another one that is there takes them up."""
    runner = runner_of(store, settings)
    began = time.perf_counter()
    take_up(runner, SESSIONS)
    seconds = time.perf_counter() - began
    runner.leave()
    return Row(f"{which} are taken up again", seconds, goal="60 s", holds=seconds <= 60)
