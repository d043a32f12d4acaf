"""Trading sessions: a replay as fast as possible, a thousand of them at one bar a second, and how soon they are back."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from benchmarks.timing import Row
from domain.live.quotes import Ended, FeedState, Instant, Opened
from domain.market.bars import frame
from worker.memory import keep_objects
from worker.sessions import feeds
from worker.sessions.accounts import LiveAccounts
from worker.sessions.runner import Runner
from worker.settings import Settings, load
from worker.store import Store
from worker.store.engine import make_engine
from worker.store.migrate import upgrade
from worker.store.session_asking import start

MINUTE = 60_000_000_000
FIRST = 1_704_067_200_000_000_000       # a Monday
BARS, SESSIONS, ROUNDS, SLICES = 20_000, 1_000, 20, 20
PLAN = {"series": ["EURUSD M1"], "strategies": [{"name": "momentum"}]}


def rows() -> Iterator[Row]:
    with workspace() as (store, settings):
        yield replayed(store, settings)
    with workspace() as (store, settings):
        yield from thousand(store, settings)


@contextmanager
def workspace() -> Iterator[tuple[Store, Settings]]:
    home = Path(tempfile.mkdtemp(prefix="tidemark-sessions-"))
    settings = load(environment={"TIDEMARK_STORAGE_HOME": str(home), "TIDEMARK_DATABASE_URL": f"sqlite:///{home / 'tidemark.db'}"})
    engine = make_engine(settings.database_url)
    upgrade(engine)
    engine.dispose()
    store = Store(settings.database_url, settings.frames_url)
    try:
        yield store, settings
    finally:
        store.close()
        shutil.rmtree(home, ignore_errors=True)


def replayed(store: Store, settings: Settings) -> Row:
    """Of stored bars, everything written."""
    price = 1.1 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 2e-4, BARS + 1)))
    opens, closes = price[:-1], price[1:]
    bars = frame(FIRST + np.arange(BARS) * MINUTE, open=opens, high=np.maximum(opens, closes), low=np.minimum(opens, closes), close=closes, volume=np.ones(BARS), spread=np.full(BARS, 1e-4))
    begin(store, 1, dict(feed="replay", frames={"EURUSD M1": store.frames.put(bars)}, speed=0), prefix="replay")
    runner = Runner(store, settings, LiveAccounts(), stay=keep_objects)
    runner.step()
    began, bars_then = time.perf_counter(), written(store)
    while runner.held or not bars_then:
        runner.step()
    rate = (BARS - bars_then) / (time.perf_counter() - began)
    return Row("a session replays stored bars as fast as possible, everything written", None, goal="2,000 bars/s", holds=rate >= 2_000, figure=f"{rate:,.0f} bars/s")


def written(store: Store) -> int:
    with store.read() as unit:
        progress = unit.sessions.progress("replay0")
        return progress.bars if progress else 0


def begin(store: Store, count: int, source: dict, prefix: str) -> None:
    with store.unit() as unit:
        for number in range(count):
            start(unit, f"{prefix}{number}", PLAN, source, "benchmark")


class Ticks:
    """A feed that gives the next bar when it is told to."""

    def __init__(self, at: int) -> None:
        self.at, self.due = at, at
        self._price = 1.1

    def next(self, timeout: float) -> list:
        if self.at >= self.due:
            return []
        self.at += 1
        closed, self._price = self._price, 1.1 + 0.002 * math.sin(self.at / 9)
        ended = [Ended("EURUSD M1", max(closed, self._price), min(closed, self._price), closed, 1.0)] if self.at > 1 else []
        now = FIRST + self.at * MINUTE
        return [*ended, Opened("EURUSD M1", now, self._price, 1e-4, now + MINUTE), Instant(now)]

    def shown(self) -> tuple:
        return ()

    def state(self) -> FeedState:
        return FeedState("", None, {}, {})

    def silent(self, instruments: object) -> tuple:
        return ()

    def close(self) -> None: ...


class TickSource:
    made: list[Ticks]

    def __init__(self) -> None:
        self.made = []

    def history(self, asked: feeds.Asked) -> list:
        return []

    def open(self, asked: feeds.Asked) -> Ticks:
        self.made.append(Ticks((asked.standing.worked - FIRST) // MINUTE if asked.standing else 0))
        return self.made[-1]


def thousand(store: Store, settings: Settings) -> Iterator[Row]:
    source = TickSource()
    feeds.SOURCES["benchmark"] = source
    begin(store, SESSIONS, {"feed": "benchmark"}, prefix="task")
    before = psutil.Process().memory_info().rss
    runner = Runner(store, settings, LiveAccounts(), stay=keep_objects)
    runner.step()
    for _ in range(60):             # features have seen enough to decide
        advance(runner, source.made)
    taken = (psutil.Process().memory_info().rss - before) / SESSIONS / 1e6
    whole = [advance(runner, source.made) for _ in range(ROUNDS)]
    spread = [advance(runner, source.made[part::SLICES]) for _ in range(ROUNDS) for part in range(SLICES)]
    cpu = sum(seconds for _, seconds in spread) / ROUNDS
    yield Row(f"{SESSIONS:,} sessions at one bar a second, spread over it: share of a core", None, goal="25 %", holds=cpu <= 0.25, figure=f"{100 * cpu:.0f} %")
    yield latency("spread over the second", [wall for wall, _ in spread], 0.1)
    yield latency("at one instant", [wall for wall, _ in whole], 0.5)
    yield Row("memory of a session", None, goal="1 MB", holds=taken <= 1, figure=f"{taken:.2f} MB")
    yield from back(runner, store, settings)


def advance(runner: Runner, ticks: list[Ticks]) -> tuple[float, float]:
    """One bar of these sessions until it is durable: seconds by the clock, and of this process."""
    for each in ticks:
        each.due += 1
    wall, cpu = time.perf_counter(), time.process_time()
    runner.step()
    return time.perf_counter() - wall, time.process_time() - cpu


def latency(when: str, seconds: list[float], goal: float) -> Row:
    p99 = float(np.quantile(seconds, 0.99))
    return Row(f"bars of {SESSIONS:,} sessions {when} are durable, 99 of 100", p99, goal=f"{goal * 1e3:.0f} ms", holds=p99 <= goal)


def back(runner: Runner, store: Store, settings: Settings) -> Iterator[Row]:
    """A process ends, the next one takes its sessions up."""
    runner.leave()
    began = time.perf_counter()
    heir = Runner(store, settings, LiveAccounts(), stay=keep_objects)
    heir.step()
    seconds = time.perf_counter() - began
    yield Row(f"{len(heir.held):,} sessions are taken up again", seconds, goal="60 s", holds=seconds <= 60 and len(heir.held) == SESSIONS)
    heir.leave()
