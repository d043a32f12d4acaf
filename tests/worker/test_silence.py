"""An idle installation waits to be told: what each part does in so many rounds with nothing to do."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import redis
import sqlalchemy as sa
from dramatiq import Message, Worker

from worker import lanes, redis_server, schedule
from worker.dispatch import enqueue
from worker.lanes import Lane, LaneBroker
from worker.leases import Watch
from worker.schedule import OVER, QUIET, Clock, Sweeper
from worker.sessions.runner import EMPTY, Runner
from worker.store import Store

pytestmark = pytest.mark.xdist_group("silence")
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[redis.Redis]:
    home = tmp_path_factory.mktemp("queue")
    process = subprocess.Popen(redis_server.command(home), stdout=subprocess.DEVNULL)
    assert redis_server.answers(redis_server.url(home), within=10)
    client = redis.Redis.from_url(redis_server.url(home))
    client.config_set("hz", 100)        # so that a short wait ends in time
    yield client
    process.terminate()
    process.wait(10)


@pytest.fixture
def queue(server) -> Iterator[LaneBroker]:
    server.flushall()
    broker = LaneBroker(server)
    broker.declare_queue("research")
    yield broker
    broker.let_go()


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What the database is asked inside."""
    text: list[str] = []

    def note(connection, cursor, statement, *_) -> None:
        text.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield text
    finally:
        sa.event.remove(store.engine, "before_cursor_execute", note)


def commands(server: redis.Redis) -> int:
    return sum(each["calls"] for name, each in server.info("commandstats").items() if name in ("cmdstat_client|id", "cmdstat_blmove", "cmdstat_evalsha"))


def message() -> Message:
    return Message(queue_name="research", actor_name="none", args=("job",), kwargs={}, options={})


def test_a_lane_asks_three_things_in_a_wait_and_no_delay_queue_is_read(server, queue, monkeypatch):
    monkeypatch.setattr(lanes, "WAIT", 0.01)
    lane = queue.consume("research")
    assert next(lane) is None
    before = commands(server)
    assert [next(lane) for _ in range(3)] == [None] * 3
    assert commands(server) - before == 3 * 3 and not queue.get_declared_delay_queues()


def test_a_message_ends_the_wait_of_one_lane_and_comes_once(server, queue):
    """Two lanes wait; either has it, and its body is where the worker finds it."""
    both, got = [queue.consume("research") for _ in range(2)], []
    threads = [threading.Thread(target=lambda lane=lane: got.append(next(lane))) for lane in both]
    for thread in threads:
        thread.start()
    while server.info("clients")["blocked_clients"] < 2:
        pass
    queue.enqueue(message())
    while not any(got):
        pass
    queue.let_go()
    for thread in threads:
        thread.join(lanes.WAIT)
    assert [result.args for result in got if result] == [("job",)] and not any(thread.is_alive() for thread in threads)


def test_the_next_message_is_fetched_when_the_last_one_is_acknowledged(server, queue):
    lane = queue.consume("research")
    for _ in range(2):
        queue.enqueue(message())
    first = next(lane)
    assert isinstance(lane, Lane) and first.args == ("job",) and not lane.ready
    lane.ack(first)
    assert lane.ready and next(lane).args == ("job",) and server.hlen("dramatiq:research.msgs") == 1


def test_a_worker_that_stops_does_not_wait_for_its_lanes(server, queue):
    """Its wait would last longer than the join."""
    worker = Worker(queue, worker_threads=1, worker_timeout=10)
    worker.start()
    while not server.info("clients")["blocked_clients"]:
        pass
    worker.stop(timeout=round(lanes.WAIT * 1000))
    assert not any(thread.is_alive() for thread in (*worker.consumers.values(), *worker.workers))


@on_sqlite
def test_with_nothing_open_every_other_sweep_looks(store, settings, server):
    listening = replace(settings, queue=replace(settings.queue, redis_url=f"unix://{server.connection_pool.connection_kwargs['path']}"))
    sweeper = Sweeper(store, listening, Watch(8.0))
    sweeper.step()
    with statements(store) as idle:
        for _ in range(QUIET * 3):
            sweeper.step()
    with store.unit() as unit:
        unit.jobs.add("test", "research", "", {}, "ana", unit.now())
    for _ in range(QUIET):
        sweeper.step()
    with statements(store) as busy:
        for _ in range(3):
            sweeper.step()
    looks = sum("FROM leases" in statement for statement in idle)
    assert looks == 3 * 2 and len(idle) <= 3 * 8
    assert sum("state IN" in statement for statement in busy) == 3, "a job is open: every one looks"


def test_a_clock_sleeps_until_something_is_due_and_forgets_what_is_over(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(schedule.time, "monotonic", lambda: now[0])
    clock, done = Clock(), []
    clock.every(5.0, "often", lambda: done.append("often"))
    clock.every(1.0, "once", lambda: OVER, first=2.0)
    clock.run_due()
    assert (clock.pause(), done) == (2.0, ["often"])
    now[0] = 102.0
    clock.run_due()
    assert clock.pause() == 3.0, "what is over is not waited for"


@on_sqlite
def test_a_runner_without_sessions_rests_between_rounds_and_writes_nothing(store, settings):
    runner, rests = Runner(store, settings, accounts=None), []     # type: ignore[arg-type]

    class Stopping:
        def is_set(self) -> bool:
            return len(rests) == 4

        def wait(self, seconds: float) -> bool:
            if threading.current_thread() is threading.main_thread():
                rests.append(seconds)
                return self.is_set()
            return True         # the threads beside are not what is counted

    with statements(store) as text:
        runner.run(Stopping())
    assert rests == [EMPTY] * 4 and not [statement for statement in text if statement.startswith(("INSERT", "UPDATE", "DELETE"))]


def test_the_page_does_not_poll_for_settings_of_streamlit(tmp_path):
    from streamlit.watcher.polling_path_watcher import PollingPathWatcher

    from app.at_rest import keep_still

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PollingPathWatcher, "_schedule", PollingPathWatcher._schedule)
        keep_still()
        patched.setattr(PollingPathWatcher, "_executor", None)      # nothing is put into it
        PollingPathWatcher(str(tmp_path / "config.toml"), print, allow_nonexistent=True)._check_if_path_changed()


def test_a_job_is_put_into_the_queue_that_a_lane_waits_at(server):
    server.flushall()
    assert enqueue(f"unix://{server.connection_pool.connection_kwargs['path']}", "interactive", "abcd")
    assert server.llen("dramatiq:interactive") == 1
