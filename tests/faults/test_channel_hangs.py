"""A session's loop while the channel of its notifications hangs, against the same loop without a channel."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

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
INSTANTS, EVERY = int(os.environ.get("TIDEMARK_INSTANTS", "1500")), float(os.environ.get("TIDEMARK_EVERY", "0.02"))     # instants of a loop, and seconds between two; 3,000 and 0.2 are ten minutes
PLAN = {"series": ["EURUSD M5"], "strategies": [{"name": "simple_ma", "params": {"fast": 3, "slow": 8}}]}


@pytest.fixture
def kind() -> str:
    return "sqlite"


def p99(store, first: int) -> float:
    """Of the seconds that a commit with an audit event and a message takes, at an even pace."""
    took = []
    for number in range(first, first + INSTANTS):
        began = time.monotonic()
        with store.unit() as unit:
            unit.audit("tidemark", "order_filled", "session:gold", number=number)
            unit.messages.write([Message(f"gold:fill:{number}", "info", f"gold: fill {number}.", "gold")], unit.now())
        took.append(time.monotonic() - began)
        time.sleep(max(EVERY - took[-1], 0.0))
    return float(np.quantile(took, 0.99))


def others() -> dict[str, str]:
    """The environment without settings of Tidemark and of its tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}


@contextmanager
def hanging(store, tmp_path) -> Iterator[ChannelDouble]:
    """The process of notifications, with a channel that takes a connection and answers nothing; entered once it is asked."""
    hung = ChannelDouble()
    hung.hang.set()
    with hung.serve() as url, (tmp_path / "log").open("wb") as log:
        ours = {"TIDEMARK_DATABASE_URL": store.engine.url.render_as_string(False), "TIDEMARK_STORAGE_HOME": str(tmp_path / "var"), "PYTHONPATH": str(ROOT)}
        urls = {"TIDEMARK_NOTIFY_URLS": url.replace("http://", "json://") + "/hook?rto=600"}
        process = subprocess.Popen([sys.executable, "-m", "worker.notifier"], cwd=ROOT, env={**others(), **ours, **urls}, stdout=log, stderr=log)
        try:
            assert hung.reached.wait(60)
            yield hung
        finally:
            process.terminate()
            assert process.wait(30) == 0, (tmp_path / "log").read_text()
            hung.go_on.set()


def recorded_times(record_property, alone: float, beside: float, what: str) -> None:
    record_property("p99_alone_ms", round(1_000 * alone, 2))
    record_property("p99_beside_ms", round(1_000 * beside, 2))
    print(f"\np99 of {what}: {1_000 * alone:.2f} ms alone, {1_000 * beside:.2f} ms while a channel hangs")


def test_a_channel_that_hangs_leaves_commits_as_they_are(store, tmp_path, record_property):
    alone = p99(store, 0)
    with hanging(store, tmp_path) as hung:
        beside = p99(store, INSTANTS)
        assert not hung.letters
    recorded_times(record_property, alone, beside, "a commit")
    assert beside < max(3 * alone, 0.1)


def rounds(runner: Runner, count: int) -> float:
    """p99 of the seconds of a round in which instants were worked and written, at an even pace."""
    took: list[float] = []
    while len(took) < count:
        began = time.monotonic()
        if runner.step():
            took.append(time.monotonic() - began)
        time.sleep(max(EVERY - (time.monotonic() - began), 0.0))
    return float(np.quantile(took, 0.99))


def fills(store) -> int:
    """Of both sessions, each of which is a message."""
    with store.read() as unit:
        return sum(unit.sessions.progress(name).rows["fills"] for name in ("one", "two"))


def test_a_channel_that_hangs_leaves_the_loop_of_sessions_as_it_is(store, settings, tmp_path, record_property):
    """Two sessions that trade at an even pace, so that they have fills to tell: the runner with engine, store and messages, as a process of sessions has it."""
    bars = walk_of_bars(4 * INSTANTS + 3_000, 7)
    frames = {series: store.frames.put(bars[series]) for series in ("EURUSD M5",)}
    with store.unit() as unit:
        for name in ("one", "two"):
            start(unit, name, PLAN, {"feed": "replay", "frames": frames, "speed": 300 / EVERY}, "ana")
    runner = Runner(store, settings, LiveAccounts())
    rounds(runner, 100)                 # what is compiled and loaded once
    alone = rounds(runner, min(INSTANTS, 1_500))
    before = fills(store)
    with hanging(store, tmp_path) as hung:
        beside = rounds(runner, INSTANTS)
        assert not hung.letters
    assert fills(store) > before + INSTANTS // 100, "there was something to tell"
    assert set(runner.held) == {"one", "two"} and not runner.away
    runner.leave()
    recorded_times(record_property, alone, beside, "a round of the loop")
    assert beside < max(3 * alone, 0.1)
