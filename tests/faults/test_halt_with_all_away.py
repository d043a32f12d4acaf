"""The kill switch by file while Redis and the database are really stopped: nothing is ordered, the halt stays though file and process go, and all is written afterwards."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest

from tests.conftest import migrated
from tests.databases import KINDS, postgres
from tests.faults.test_channel_hangs import others
from tests.faults.test_paper_survives import walk_of_bars
from worker import redis_server
from worker.consistency import check
from worker.sessions.halts import LATCHED
from worker.settings import ROOT
from worker.store.session_asking import release, start

pytestmark = pytest.mark.faults
PLAN = {"series": ["EURUSD M5"], "strategies": [{"name": "simple_ma", "params": {"fast": 3, "slow": 8}}]}
SPEED = 3_000.0         # times real time: ten bars of five minutes a second
BAR = 300_000_000_000


@dataclass
class Machine:
    """A database that can be taken away."""

    url: str
    stop: Callable[[], object]
    start: Callable[[], object]


@pytest.fixture(params=KINDS)
def machine(request, tmp_path) -> Iterator[Machine]:
    if request.param == "sqlite":
        path = tmp_path / "tidemark.db"
        url = migrated(f"sqlite:///{path}")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            yield Machine(url, lambda: other.execute("BEGIN EXCLUSIVE"), other.rollback)
    else:
        with postgres() as server, server.database(migrated=True) as url:
            yield Machine(url, server.stop, server.start)


@pytest.fixture
def database(machine) -> str:
    return machine.url


@contextmanager
def running(settings, log) -> Iterator[subprocess.Popen]:
    """The process of trading sessions, as `make run` starts it; killed at the end."""
    ours = {"TIDEMARK_DATABASE_URL": settings.database_url, "TIDEMARK_STORAGE_HOME": str(settings.home), "TIDEMARK_REDIS_URL": redis_server.url(settings.home), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "worker.sessions.main"], cwd=ROOT, env={**others(), **ours}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(true: Callable[[], object], what: str, within: float = 120.0) -> float:
    """Seconds until it is true."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within, what
        time.sleep(0.02)
    return time.monotonic() - began


def progress(store):
    with store.read() as unit:
        return unit.sessions.progress("gold")


def rows(store, kind: str) -> list[dict]:
    with store.read() as unit:
        return [dict(output.row) for output in unit.session_tape.rows("gold", kind)]


def halts(store) -> list:
    with store.read() as unit:
        return unit.session_halts.latched()


@pytest.mark.parametrize("killed", [False, True], ids=["lives", "killed"])
def test_a_file_halts_while_redis_and_the_database_are_stopped(machine, store, settings, killed, tmp_path, record_property):
    frames = {"EURUSD M5": store.frames.put(walk_of_bars(3_000, 7)["EURUSD M5"])}
    with store.unit() as unit:
        start(unit, "gold", PLAN, {"feed": "replay", "frames": frames, "speed": SPEED}, "ana")
    queue = subprocess.Popen(redis_server.command(settings.home), stdout=subprocess.DEVNULL)
    file, latched = settings.home / "HALT", settings.home / LATCHED
    with (tmp_path / "log").open("wb") as log:
        try:
            with running(settings, log):
                until(lambda: progress(store).rows.get("fills", 0) > 6 and progress(store).view["positions"], "no position was opened")
                queue.kill()
                queue.wait()
                machine.stop()
                file.write_text("fire\nmore\n")
                record_property("latched_s", round(until(latched.exists, "the file was not seen"), 2))
                file.unlink()
                time.sleep(3.0)         # thirty bars in which a session that goes on would trade
                if not killed:
                    machine.start()
                    until(lambda: halts(store), "the halt was not written")
                    until(lambda: progress(store).view["state"] == "halted" and not progress(store).view["positions"], "positions were not closed")
            if killed:
                machine.start()
            with running(settings, log):
                until(lambda: halts(store), "the halt was not written")
                until(lambda: progress(store).view["state"] == "halted" and not progress(store).view["positions"], "positions were not closed")
                assert_halted(store)
                assert not latched.exists() and [(each.reason, each.who, each.by_file) for each in halts(store)] == [("fire", "file HALT", True)]
                with store.unit() as unit:
                    release(unit, "ana", "it is out")
                fills = progress(store).rows["fills"]
                until(lambda: progress(store).rows["fills"] > fills, "it does not trade after the release")
        finally:
            queue.kill()
    assert check(store, "gold").holds


def assert_halted(store) -> None:
    """One halt on the tape; no entry is ordered after it, and exits of a strategy find nothing to exit; what is open is closed at the next open."""
    with store.read() as unit:
        (halt,) = [each for each in unit.session_commands.taped("gold") if each.command == "halt"]
    late = [row for row in rows(store, "fills") if row["ts"] > halt.worked]
    assert halt.reason == "fire" and {row["ts"] for row in late} <= {halt.worked, halt.worked + BAR} and {row["reason"] for row in late} <= {"kill_switch"}
    after = [row for row in rows(store, "decisions") if row["ts"] > halt.worked]
    assert not [row for row in after if row["order"] != "exit" and row["verdict"] in ("placed", "proposed")]
