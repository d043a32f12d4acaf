"""A session of three timeframes, killed at random moments, against one that nothing happened to and against the backtest of its tape: the same bytes."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from io import StringIO
from itertools import zip_longest

import numpy as np
import pandas as pd
import pytest

from domain.live.backtesting import backtest
from domain.live.command import Command
from domain.live.plan import Plan
from domain.market.bars import frame
from domain.market.resample import resample
from domain.market.timeframe import Timeframe
from tests.databases import KINDS
from worker.desk import Desk
from worker.owner import MACHINE, began
from worker.sessions import runner as running
from worker.sessions.accounts import LiveAccounts
from worker.store import Store
from worker.store.session_asking import ask, start

pytestmark = [pytest.mark.faults, pytest.mark.skipif(not hasattr(os, "fork"), reason="forks what it kills")]
BARS = int(os.environ.get("TIDEMARK_BARS", "3000"))
KILLS = int(os.environ.get("TIDEMARK_KILLS", "200"))
SERIES = ("EURUSD M5", "EURUSD M15", "EURUSD H1")
PLAN = {"series": list(SERIES), "strategies": [{"name": "momentum"}, {"name": "breakout", "params": {"lookback": 20}, "series": ["EURUSD M15"]}]}


def walk_of_bars(count: int, seed: int) -> dict[str, pd.DataFrame]:
    """Bars of five minutes on a random walk, and those that they make."""
    rng = np.random.default_rng(seed)
    price = 1.1 * np.exp(np.cumsum(rng.normal(0, 3e-4, count + 1)))
    opens, closes = price[:-1], price[1:]
    high, low = (side(opens, closes) + sign * rng.uniform(0, 2e-4, count) for side, sign in ((np.maximum, 1), (np.minimum, -1)))
    ts = pd.Timestamp("2024-01-01T22:00Z").value + np.arange(count) * 300_000_000_000
    fine = frame(ts, open=opens, high=high, low=low, close=closes, volume=np.ones(count), spread=np.full(count, 1e-4))
    five = Timeframe.named("M5")
    return {name: fine if name.endswith(" M5") else resample(fine, five, Timeframe.named(name.split()[1]), "fx") for name in SERIES}


@pytest.fixture
def twins(store):
    """The session that is killed and the one that is left alone, with the same commands."""
    frames = {name: store.frames.put(bars) for name, bars in walk_of_bars(BARS, 7).items()}
    at = pd.Timestamp("2024-01-03T10:00Z").value
    with store.unit() as unit:
        for name in ("killed", "twin"):
            start(unit, name, PLAN, {"feed": "replay", "frames": frames, "speed": 0}, "ana")
            ask(unit, name, "pause", {}, "ana", "lunch", key="pause", ts=at)
            ask(unit, name, "continue", {}, "ana", "", key="continue", ts=at + 7_200_000_000_000)
    return frames


@pytest.mark.parametrize("kind", KINDS, indirect=True)
def test_a_session_killed_at_random_ends_as_its_twin_and_its_backtest(store, settings, twins, kind, record_property):
    warmed(store, settings)
    numbers, returns, kills = random.Random(3), [], 0
    while kills < KILLS and not ended(store, "killed"):
        returns.append(killed_once(settings, store, numbers))
        kills += 1
    alone(settings, "killed")
    alone(settings, "twin")
    slowest, used = (max(each) for each in zip(*returns, strict=True))
    record_property("kills", kills)
    record_property("slowest_return_s", round(slowest, 2))
    record_property("most_cpu_s", round(used, 2))
    print(f"\n{kind}: {kills} kills, returns: half within {sorted(returns)[kills // 2][0]:.2f} s, slowest {slowest:.2f} s; a child used {used:.2f} s of a processor at most")
    assert ended(store, "killed") == ended(store, "twin") == "finished"
    killed, twin = tables(store, settings, "killed"), tables(store, settings, "twin")
    assert {kind_: first_difference(killed[kind_], twin[kind_]) for kind_ in twin if killed[kind_] != twin[kind_]} == {}
    assert {kind_: first_difference(killed[kind_], text) for kind_, text in backtested(store).items() if killed[kind_] != text} == {}
    assert kills >= min(KILLS, 20)


def warmed(store, settings) -> None:
    """What a child needs is compiled and loaded once, before it is forked."""
    frames = {name: store.frames.put(bars) for name, bars in walk_of_bars(60, 1).items()}
    with store.unit() as unit:
        start(unit, "warm", PLAN, {"feed": "replay", "frames": frames, "speed": 0}, "ana")
    runner = running.Runner(store, settings, LiveAccounts(), only="warm")
    while not ended(store, "warm"):
        runner.step()
    store.engine.dispose()


def killed_once(settings, store, numbers: random.Random) -> tuple[float, float]:
    """Start a process, kill it some moment after it has written its next commit; seconds until that commit, and what the process used of a processor."""
    before, at = commits(store), time.monotonic()
    child = os.fork()
    if not child:
        work(settings, "killed", numbers.choice((0.0, 0.0, 0.01)))
    try:
        while commits(store) == before and not ended(store, "killed"):
            time.sleep(0.002)
            assert time.monotonic() - at < 60, "it does not come back"
        back = time.monotonic() - at
        time.sleep(numbers.random() * 0.03)
    finally:
        os.kill(child, signal.SIGKILL)
        used = os.wait4(child, 0)[2]
    return back, used.ru_utime + used.ru_stime


def alone(settings, name: str) -> None:
    """A process that works on the session to its end."""
    child = os.fork()
    if not child:
        work(settings, name, 0.25)
    assert os.waitpid(child, 0)[1] == 0


def work(settings, name: str, batch: float) -> None:
    """In the child: never returns."""
    status = 1
    try:
        running.BATCH, running.CLAIM, running.LOOK = batch, 0.0, 0.0
        owner = f"{socket.gethostname()}:{os.getpid()}:{MACHINE}-{began(os.getpid())}-aa"
        store_ = Store(settings.database_url, settings.frames_url)
        runner = running.Runner(store_, settings, LiveAccounts(), owner=owner, only=name)
        while not ended(store_, name):
            runner.step()
        status = 0
    finally:
        os._exit(status)


def backtested(store) -> dict[str, str]:
    """Trades, fills and equity of the backtest of what stands on the tape, as they are written."""
    with store.read() as unit:
        bars = list(unit.session_tape.bars("killed"))
        commands = [Command(each.worked, each.who, each.command, dict(each.arguments), each.reason) for each in unit.session_commands.taped("killed")]
    outcome = backtest(Plan.of(PLAN), bars, commands)
    return {kind: getattr(outcome, kind).to_csv(index=False) for kind in ("trades", "fills", "equity")}


def first_difference(one: str, other: str) -> tuple[str, str]:
    lines = zip_longest(one.splitlines(), other.splitlines(), fillvalue="")
    return next(pair for pair in lines if pair[0] != pair[1])


def commits(store) -> int:
    with store.read() as unit:
        return unit.sessions.progress("killed").commits


def ended(store, name: str) -> str:
    with store.read() as unit:
        session = unit.sessions.get(name)
        return session.state if session.ended else ""


def tables(store, settings, name: str) -> dict[str, str]:
    """All that a session gives out, as it is written."""
    paper = Desk(store, settings, send=lambda *_: True).paper
    texts = {}
    for kind in ("trades", "fills", "equity", "decisions", "tape", "commands"):
        sink = StringIO()
        paper.table(name, kind).to_csv(sink, index=False)
        texts[kind] = sink.getvalue()
    return texts
