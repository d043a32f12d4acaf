"""Dead workers are detected without the time of day: from the system on this machine, from counters on others."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest

import tests.worker.kinds  # noqa: F401  registers the kinds of job that tests ask for
from worker import actors, leases
from worker.leases import Watch, rescue
from worker.owner import MACHINE, OWNER, began, gone
from worker.store import Process, Store
from worker.store.unit import Unit

HOUR = timedelta(hours=1)


class Seconds:
    """A monotonic clock that a test sets."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def step(monkeypatch):
    """Set the clock of this machine, and of the database, by so much."""

    def step(by: timedelta) -> None:
        now = Unit.now
        monkeypatch.setattr(Unit, "now", lambda unit: now(unit) + by)

    return step


@pytest.fixture(scope="module")
def dead() -> str:
    """The name of a process of this machine that ended."""
    code = "from worker.owner import OWNER; print(OWNER)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def add(store: Store, count: int = 1) -> list[str]:
    with store.unit() as unit:
        return [unit.jobs.add("test_steps", "research", "", dict(steps=1, seconds=0.0), "ana", unit.now())[0].id for _ in range(count)]


def claim(store: Store, job_id: str, owner: str) -> int:
    with store.unit() as unit:
        return unit.jobs.claim(job_id, owner, unit.now()).epoch


def state(store: Store, job_id: str) -> tuple[str, int]:
    with store.read() as unit:
        job = unit.jobs.get(job_id)
    return job.state, job.deaths


def watched(store: Store, watch: Watch, seconds: Seconds, times: int, beating: str = "") -> list[list[str]]:
    """What each of so many looks found, a second apart; one job beats meanwhile."""
    rescues = []
    for _ in range(times):
        seconds.at += 1.0
        if beating:
            with store.unit() as unit:
                unit.jobs.beat(beating, 1)
        rescues.append(rescue(store, watch))
    return rescues


def test_a_watch_measures_by_a_clock_that_nobody_can_set():
    assert inspect.signature(Watch).parameters["clock"].default is time.monotonic


@pytest.mark.skipif(not MACHINE, reason="this system does not say which processes live")
def test_a_process_that_ended_is_gone_and_a_living_one_is_not(dead):
    host, pid, _ = OWNER.rsplit(":", 2)
    assert gone(dead) and not gone(OWNER) and int(pid) == os.getpid() and began(os.getpid())
    assert gone(f"{host}:{pid}:{MACHINE}-1-abcd"), "its number is another process's by now"
    assert not gone(f"{host}:{dead.split(':')[1]}:00000000-1-abcd"), "of another machine it knows nothing"
    assert not any(map(gone, (None, "", "w1", "host:1:abcd", "a:b:c-d-e", f"host:{os.getppid()}:{MACHINE}-{began(os.getppid())}-abcd")))


@pytest.mark.skipif(not MACHINE, reason="this system does not say which processes live")
def test_a_job_of_a_process_that_ended_here_is_free_at_the_first_look(store, dead, seconds):
    lost, alive = add(store, 2)
    claim(store, lost, dead)
    claim(store, alive, OWNER)
    assert rescue(store, Watch(8.0, seconds)) == [lost]
    assert state(store, lost) == ("queued", 1) and state(store, alive) == ("running", 0)


@pytest.mark.parametrize("by", [-HOUR, timedelta(0), HOUR, timedelta(days=400)])
def test_a_clock_that_is_set_neither_delays_a_rescue_nor_robs_the_living(store, step, seconds, by):
    silent, alive = add(store, 2)
    claim(store, silent, "elsewhere:1:-1-ab")
    claim(store, alive, "elsewhere:2:-1-ab")
    watch = Watch(8.0, seconds)
    assert watched(store, watch, seconds, 4, alive) == [[]] * 4
    step(by)
    assert watched(store, watch, seconds, 6, alive) == [[]] * 4 + [[silent], []], "eight seconds after the first look"
    assert state(store, alive) == ("running", 0)
    with store.unit() as unit:
        assert [job.id for job in unit.jobs.due(unit.now())] == [silent] and unit.jobs.first("research", "nosuch", unit.now()).id == silent


def test_who_could_not_look_for_long_learns_nothing_from_that(store, seconds):
    """Both were asleep, or the database was away: the first look afterwards may come before the first sign of life."""
    job_id, = add(store)
    claim(store, job_id, "elsewhere:1:-1-ab")
    watch = Watch(8.0, seconds)
    watched(store, watch, seconds, 5, job_id)
    seconds.at += 3_600.0
    assert rescue(store, watch) == [] and watched(store, watch, seconds, 5, job_id) == [[]] * 5


@pytest.mark.skipif(not MACHINE, reason="this system does not say which processes live")
def test_the_first_worker_that_wakes_takes_what_a_dead_one_left_before_thirteen_others(store, system, dead, monkeypatch):
    """And the message that it consumed is sent again."""
    sent: list[str] = []
    monkeypatch.setattr(actors, "enqueue", lambda url, queue, job_id: not sent.append(job_id))
    lost, *others = add(store, 14)
    claim(store, lost, dead)
    actors.wake("research", others[0])
    assert state(store, lost) == ("done", 1) and [state(store, job_id)[0] for job_id in others] == ["queued"] * 13 and sent == [lost]
    actors.wake("research", lost)
    assert [state(store, other)[0] for other in others] == ["done"] + ["queued"] * 12


def test_no_ghosts_are_counted_when_the_clock_is_set_back(store, step, dead):
    def seen() -> list[str]:
        with store.read() as unit:
            return [process.id for process in unit.processes(timedelta(seconds=8))]

    def sign(*names: str) -> None:
        with store.unit() as unit:
            for name in names:
                unit.alive(Process(name, "worker", "host", 1, unit.now(), unit.now(), ""))

    sign("ghost", OWNER, *([dead] if MACHINE else []))
    assert set(seen()) == {"ghost", OWNER}, "of those on this machine, the living only"
    step(-HOUR)
    assert seen() == []
    sign(OWNER)
    assert seen() == [OWNER]
    with store.unit() as unit:
        unit.forget_dead(timedelta(minutes=30))
    step(HOUR)
    assert seen() == [], "what lies far ahead is forgotten too"


def test_a_lease_of_what_does_not_end_is_one_holders_until_it_is_silent(store, seconds):
    with store.unit() as unit:
        first = unit.leases.take("session:abc", "elsewhere:1:-1-ab")
        assert (first.epoch, first.beats) == (1, 0) and unit.leases.take("session:abc", "other") is None
    watch = Watch(8.0, seconds)
    for _ in range(20):
        seconds.at += 1.0
        with store.unit() as unit:
            assert unit.leases.beat("session:abc", 1)
        rescue(store, watch)
    for _ in range(9):
        seconds.at += 1.0
        rescue(store, watch)
    with store.unit() as unit:
        second = unit.leases.take("session:abc", "other")
        assert second.epoch == 2 and not unit.leases.beat("session:abc", 1) and not unit.leases.release("session:abc", 1)
        assert not unit.leases.free("session:abc", 2, 7), "it gave a sign of life meanwhile"
        assert unit.leases.release("session:abc", 2) and unit.leases.owned() == [] and not unit.leases.beat("session:abc", 2)


def test_a_lease_is_taken_by_one_of_many(store):
    from concurrent.futures import ThreadPoolExecutor

    def take(number: int):
        with store.unit() as unit:
            return unit.leases.take("session:x", f"w{number}")

    with ThreadPoolExecutor(8) as pool:
        assert len([result for result in pool.map(take, range(8)) if result]) == 1


def test_longest_look_is_shorter_than_the_shortest_default_lease():
    from worker.settings import Settings

    assert Settings().work.sweep < leases.LONGEST_LOOK < Settings().work.lease
