"""A session's loop while the channel of its notifications hangs, against the same loop without a channel: instants of both by turns, so that what else the machine
does falls on both alike. Processor time is compared, and the time by the clock beside it.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import pytest

from tests.doubles.channel import ChannelDouble
from tests.faults.test_paper_survives import walk_of_bars
from worker.sessions.accounts import LiveAccounts
from worker.sessions.runner import Runner
from worker.settings import ROOT
from worker.store.messages import Message
from worker.store.session_asking import start

pytestmark = pytest.mark.faults
INSTANTS, EVERY = int(os.environ.get("TIDEMARK_INSTANTS", "1500")), float(os.environ.get("TIDEMARK_EVERY", "0.02"))     # instants with the channel and as many without, and seconds between two; 3,000 and 0.2 are ten minutes of each
TURN = 50                   # instants before the other one's turn
PLAN = {"series": ["EURUSD M5"], "strategies": [{"name": "simple_ma", "params": {"fast": 3, "slow": 8}}]}


@pytest.fixture
def kind() -> str:
    return "sqlite"


@dataclass
class Times:
    """Of instants, in seconds: of this thread, and by the clock."""

    thread: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)

    def add(self, work: Callable[[], bool]) -> None:
        """One instant at an even pace; not counted where ``work`` says that there was nothing."""
        thread, clock = time.thread_time(), time.monotonic()
        if work():
            self.thread.append(time.thread_time() - thread)
            self.clock.append(time.monotonic() - clock)
        time.sleep(max(EVERY - (time.monotonic() - clock), 0.0))

    def turn(self, work: Callable[[], bool]) -> None:
        until = len(self.thread) + TURN
        while len(self.thread) < until:
            self.add(work)


def others() -> dict[str, str]:
    """The environment without settings of Tidemark and of its tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}


@contextmanager
def hanging(store, tmp_path) -> Iterator[tuple[ChannelDouble, subprocess.Popen]]:
    """The process of notifications, with a channel that takes a connection and answers nothing; entered once it is asked."""
    hung = ChannelDouble()
    hung.hang.set()
    with hung.serve() as url, (tmp_path / "log").open("wb") as log:
        ours = {"TIDEMARK_DATABASE_URL": store.engine.url.render_as_string(False), "TIDEMARK_STORAGE_HOME": str(tmp_path / "var"), "PYTHONPATH": str(ROOT)}
        urls = {"TIDEMARK_NOTIFY_URLS": url.replace("http://", "json://") + "/hook?rto=600"}
        process = subprocess.Popen([sys.executable, "-m", "worker.notifier"], cwd=ROOT, env={**others(), **ours, **urls}, stdout=log, stderr=log)
        try:
            assert hung.reached.wait(60)
            yield hung, process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            assert process.wait(30) == 0, (tmp_path / "log").read_text()
            hung.go_on.set()


def stop(process: subprocess.Popen, store) -> None:
    """At a moment at which it holds no lock of the database."""
    while True:
        process.send_signal(signal.SIGSTOP)
        try:
            with closing(sqlite3.connect(store.engine.url.database, timeout=1.0, isolation_level=None)) as probe:
                probe.execute("BEGIN IMMEDIATE")
                probe.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)


def by_turns(store, tmp_path, work: Callable[[], bool]) -> tuple[Times, Times]:
    """The times alone and beside a channel that hangs: its process is stopped while the loop is alone, and goes on hanging after."""
    alone, beside = Times(), Times()
    Times().turn(work)                  # what is there to be told, and what is loaded once
    with hanging(store, tmp_path) as (hung, process):
        for _ in range(max(INSTANTS // TURN, 2)):
            stop(process, store)
            alone.turn(work)
            process.send_signal(signal.SIGCONT)
            beside.turn(work)
        assert not hung.letters
    return alone, beside


def compare(record_property, alone: Times, beside: Times, what: str) -> None:
    """The 99th percentile of processor time beside the channel is at most half as much again as alone, the median a fifth."""
    (own, with_), (waited, waited_with) = ([float(np.quantile(getattr(times, kind), 0.99)) for times in (alone, beside)] for kind in ("thread", "clock"))
    for name, value in dict(p99_alone_ms=own, p99_beside_ms=with_, p99_clock_alone_ms=waited, p99_clock_beside_ms=waited_with).items():
        record_property(name, round(1_000 * value, 2))
    print(f"\np99 of {what}, {len(alone.thread):,} instants each: {1_000 * own:.2f} ms of processor alone, {1_000 * with_:.2f} ms while a channel hangs (ratio {with_ / own:.2f}); by the clock {1_000 * waited:.1f} and {1_000 * waited_with:.1f} ms")
    assert with_ < 1.5 * own
    assert np.median(beside.thread) < 1.2 * np.median(alone.thread)


def test_a_channel_that_hangs_leaves_commits_as_they_are(store, tmp_path, record_property):
    numbers = count()

    def commit() -> bool:
        number = next(numbers)
        with store.unit() as unit:
            unit.audit("tidemark", "order_filled", "session:gold", number=number)
            unit.messages.write([Message(f"gold:fill:{number}", "info", f"gold: fill {number}.", "gold")], unit.now())
        return True

    compare(record_property, *by_turns(store, tmp_path, commit), "a commit")


def fills(store) -> int:
    """Of both sessions, each of which is a message."""
    with store.read() as unit:
        return sum(unit.sessions.progress(name).rows["fills"] for name in ("one", "two"))


def test_a_channel_that_hangs_leaves_the_loop_of_sessions_as_it_is(store, settings, tmp_path, record_property):
    """Two sessions that trade at an even pace, so that they have fills to tell: the runner with engine, store and messages, as a process of sessions has it."""
    bars = walk_of_bars(8 * INSTANTS + 3_000, 7)
    frames = {series: store.frames.put(bars[series]) for series in ("EURUSD M5",)}
    with store.unit() as unit:
        for name in ("one", "two"):
            start(unit, name, PLAN, {"feed": "replay", "frames": frames, "speed": 300 / EVERY}, "ana")
    runner = Runner(store, settings, LiveAccounts())
    warm = Times()
    for _ in range(2):
        warm.turn(runner.step)          # what is compiled and loaded once
    before = fills(store)
    alone, beside = by_turns(store, tmp_path, runner.step)
    assert fills(store) > before + INSTANTS // 50, "there was something to tell"
    assert set(runner.held) == {"one", "two"} and not runner.away
    runner.leave()
    compare(record_property, alone, beside, "a round of the loop")
