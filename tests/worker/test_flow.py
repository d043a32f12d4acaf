"""Jobs with the real queue and real workers, with the default settings: guarantees when processes are killed."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from domain.audit import verify
from tests.conftest import migrated
from tests.databases import KINDS
from tests.worker.flow import Flow, flow
from tests.worker.kinds import waiting

OWN = 3.0       # seconds of own time of the job that is killed, in steps of a tenth


pytestmark = [pytest.mark.alone, pytest.mark.xdist_group("flow")]        # one workspace on each database for all of them, and its trail at the end


@pytest.fixture(scope="module", params=KINDS)
def shared(request, tmp_path_factory) -> Iterator[Flow]:
    home = tmp_path_factory.mktemp("flow")
    if request.param == "sqlite":
        with flow(home, migrated(f"sqlite:///{home / 'tidemark.db'}")) as flow_:
            yield flow_
    else:
        with request.getfixturevalue("postgres_server").database(migrated=True) as url, flow(home, url) as flow_:
            yield flow_


@pytest.fixture
def system(shared) -> Flow:
    """Two workers, whatever the test before did to them."""
    shared.mend()
    return shared


on_sqlite = pytest.mark.parametrize("shared", ["sqlite"], indirect=True)


def test_a_question_becomes_a_result(system):
    """Through the desk, the queue, a worker and both stores: bars are generated and read back."""
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 8, tzinfo=UTC)
    submitted = system.desk.data.generate("gbm", {}, "EURUSD", "M5", start, end, 7)
    job = system.until(submitted.job.id, "done", 30)
    dataset = system.desk.data.get(job.result["dataset"])
    assert dataset.bars == len(system.store.frames.get(dataset.frame)) > 1_000 and dataset.actor == "ana"
    assert system.events(job.id) == ["job_submitted", "job_started", "dataset_imported"]
    assert [event.kind for event in system.desk.trail.history(f"dataset:{dataset.id}")] == ["dataset_imported"]


def test_a_message_delivered_five_times_runs_once(system):
    job_id = system.submit("test_steps", steps=4, seconds=0.1)
    from worker.dispatch import enqueue

    for queue in ("research", "interactive", "research", "interactive"):
        assert enqueue(system.redis_url, queue, job_id)
    system.until(job_id, "done", 20)
    waiting(lambda: not system.queue().hlen("dramatiq:research.msgs") and not system.queue().hlen("dramatiq:interactive.msgs"), 10, "every message was taken")
    assert [step for epoch, step in system.traced("test_steps")][-4:] == ["0", "1", "2", "3"]
    assert (system.row(job_id).epoch, system.effects(job_id)) == (1, [1]) and system.events(job_id) == ["job_submitted", "job_started", "tested"]


def test_kill_9_of_the_worker_costs_fifteen_seconds_at_most(system, record_property):
    """From its checkpoint, by another worker, with one effect."""
    steps = int(OWN / 0.1)
    job_id = system.submit("test_steps", steps=steps, seconds=0.1, trace=str(system.home / "trace-killed"))
    seen = system.begun(job_id, steps=8).checkpoint["done"]
    killed = time.monotonic()
    system.kill(system.worker_of(job_id))
    job = system.until(job_id, "done", 15 + OWN)
    record_property("recovered_after_s", round(time.monotonic() - killed, 2))
    assert (job.epoch, job.deaths, system.effects(job_id)) == (2, 1, [1])
    assert system.events(job_id) == ["job_submitted", "job_started", "job_started", "tested"]
    second = [int(step) for epoch, step in system.traced("killed") if epoch == "2"]
    assert second == list(range(second[0], steps)) and second[0] >= seen, "it went on from its checkpoint"


def test_what_a_dead_worker_left_is_taken_up_before_thirteen_that_wait(system, record_property):
    """Both lanes are full and thirteen jobs wait: the one whose worker died starts again within fifteen seconds, and nothing waits longer for its message."""
    lost = system.submit("test_steps", steps=60, seconds=0.1, trace=str(system.home / "trace-before-others"))
    system.begun(lost, steps=3)
    others = [system.submit("test_steps", steps=12, seconds=0.1) for _ in range(13)]
    killed = time.monotonic()
    system.kill(system.worker_of(lost))
    system.mend()
    waiting(lambda: system.row(lost).epoch == 2, 15 - (time.monotonic() - killed), str(system.row(lost)))
    record_property("taken_up_after_s", round(time.monotonic() - killed, 2))
    for job_id in (lost, *others):
        system.until(job_id, "done", 40)
    with system.store.read() as unit:
        begun = [record.kind == "job_started" and next((job_ for job_ in (lost, *others) if job_ in record.body), "") for record in unit.trail.all()]
    second = [at for at, job_id in enumerate(begun) if job_id == lost][1]
    assert system.row(lost).deaths == 1 and sum(job_id in others for job_id in begun[second:] if job_id) >= 8, "those that wait go on waiting"
    steps = [int(step) for _, step in system.traced("before-others")]
    assert steps[-1] == 59 and steps.count(0) == 1 and system.effects(lost, *others) == [1] * 14


def several(system: Flow, count: int = 10) -> list[str]:
    return [system.submit("test_steps", steps=1, seconds=0.2) for _ in range(count)]


def all_done(system: Flow, jobs: list[str], since: float) -> float:
    """Seconds until all were done, each once; thirty are promised."""
    for job_id in jobs:
        system.until(job_id, "done", max(since + 30 - time.monotonic(), 0.1))
    assert system.effects(*jobs) == [1] * len(jobs) and all(system.row(job_id).epoch == 1 for job_id in jobs)
    return round(time.monotonic() - since, 2)


def test_flushall_loses_nothing(system, record_property):
    jobs = several(system)
    system.queue().flushall()
    record_property("all_done_after_s", all_done(system, jobs, time.monotonic()))


def test_kill_9_of_the_queue_server_loses_nothing(system, record_property):
    """What it held is gone, and what was submitted while it was away was never sent."""
    jobs = several(system, 5)
    system.kill("queue")
    began = time.monotonic()
    jobs += several(system, 3)
    assert time.monotonic() - began < 2, "a person does not wait for a queue server that is away"
    assert [system.row(job_id).state for job_id in jobs[5:]] == ["queued"] * 3 and system.row(jobs[5]).sent_at is None
    system.start_queue()
    record_property("all_done_after_s", all_done(system, jobs, time.monotonic()))


@on_sqlite
def test_a_queue_server_that_starts_empty_loses_nothing(system, record_property):
    jobs = several(system, 5)
    system.kill("queue")
    for path in sorted((system.home / "queue").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    system.start_queue()
    record_property("all_done_after_s", all_done(system, jobs, time.monotonic()))


def test_a_cancel_is_seen_within_a_second(system, record_property):
    job_id = system.submit("test_stubborn")
    system.until(job_id, "running", 20)
    started = time.monotonic()
    assert system.desk.jobs.cancel(job_id)
    system.until(job_id, "cancelled", 1.5)
    record_property("cancelled_after_s", round(time.monotonic() - started, 2))
    assert system.events(job_id) == ["job_submitted", "job_started", "job_cancel_requested", "job_cancelled"] and system.effects(job_id) == [0]


@on_sqlite
def test_a_bug_shows_an_id_and_its_traceback_is_in_the_log(system):
    job_id = system.submit("test_bug")
    error = system.until(job_id, "failed", 20).error
    logged = system.log("worker-0") + system.log("worker-1")
    assert error["fault"] == "bug" and f"error {error['id']} in job {job_id} (test_bug)" in logged
    after = logged.split(error["id"])[1]
    assert "Traceback" in after and "ZeroDivisionError" in after


@on_sqlite
def test_an_interactive_job_does_not_wait_behind_research(system):
    long = [system.submit("test_deaf", seconds=1.5) for _ in range(6)]
    waiting(lambda: [system.row(job_id).state for job_id in long].count("running") == 2, 20, "both research lanes are full")
    quick = system.until(system.submit("test_steps", "interactive", steps=1, seconds=0.0), "done", 5)
    assert (quick.started_at - quick.created_at).total_seconds() < 1 and [system.row(job_id).state for job_id in long].count("queued") >= 2
    for job_id in long:
        system.until(job_id, "done", 20)


def test_a_worker_that_is_stopped_requeues_its_job_and_another_finishes_it(system):
    job_id = system.submit("test_steps", steps=20, seconds=0.1, trace=str(system.home / "trace-stopped"))
    system.begun(job_id, steps=4)
    worker = system.worker_of(job_id)
    system.processes[worker].terminate()
    assert system.processes[worker].wait(5) == 0
    job = system.until(job_id, "done", 12)
    assert (job.epoch, job.deaths, job.attempts, system.effects(job_id)) == (2, 0, 0, [1])
    assert system.events(job_id) == ["job_submitted", "job_started", "job_put_back", "job_started", "tested"]
    assert [step for _, step in system.traced("stopped")] == [str(step) for step in range(20)]


@on_sqlite
def test_a_worker_that_cannot_look_up_still_leaves_in_time(system):
    """Its job is in compiled code: that it ended is seen at once, and the job is free."""
    job_id = system.submit("test_deaf", seconds=8.0, trace=str(system.home / "trace-left"))
    system.until(job_id, "running", 20)
    worker = system.worker_of(job_id)
    system.processes[worker].terminate()
    assert system.processes[worker].wait(7) == 0
    assert system.row(job_id).state in ("running", "queued") and system.effects(job_id) == [0], "nothing of it was recorded; it may have been seen to be free by now"
    system.desk.jobs.cancel(job_id)
    system.until(job_id, "cancelled", 16)  # at once where it lies free; where the other worker has it again, when its eight seconds of compiled code are over
    assert system.effects(job_id) == [0]


def freeze(system: Flow, worker: str) -> None:
    """SIGSTOP, but not while it holds the write lock of the database: nothing could go on then."""
    while True:
        system.processes[worker].send_signal(signal.SIGSTOP)
        try:
            with sqlite3.connect(system.home / "tidemark.db", timeout=0.5, isolation_level=None) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            system.processes[worker].send_signal(signal.SIGCONT)
            time.sleep(0.05)


@on_sqlite
def test_a_zombie_past_its_lease_writes_nothing(system):
    job_id = system.submit("test_steps", steps=20, seconds=0.1)
    system.begun(job_id, steps=2)
    worker = system.worker_of(job_id)
    freeze(system, worker)
    waiting(lambda: system.row(job_id).epoch == 2, 15, "another took over")
    system.processes[worker].send_signal(signal.SIGCONT)
    job = system.until(job_id, "done", 20)
    waiting(lambda: f"job {job_id}, attempt 1: another worker owns it by now" in system.log(worker), 10, "it noticed")
    assert (job.epoch, system.effects(job_id), system.gone(worker)) == (2, [1], False)
    assert system.events(job_id) == ["job_submitted", "job_started", "job_started", "tested"]


def test_the_trail_of_all_this_holds(system):
    with system.store.read() as unit:
        rows, root, size = list(unit.trail.all()), unit.trail.root(), unit.trail.head()[0]
    assert verify(rows, root, size).holds and size > 3


def test_a_job_that_kills_every_worker_is_given_up_with_a_sentence(tmp_path):
    with flow(tmp_path, migrated(f"sqlite:///{tmp_path / 'tidemark.db'}"), workers=3, lease=1.0, beat=0.2, sweep=0.1) as system:
        with system.store.unit() as unit:
            job, _ = unit.jobs.add("test_deadly", "research", "", {}, "ana", unit.now())
            unit._c.exec_driver_sql("UPDATE jobs SET deaths = 2")       # two more are enough
        job = system.until(job.id, "failed", 60)
        assert sum(system.gone(f"worker-{number}") for number in range(3)) == 2
    assert (job.deaths, job.error["fault"]) == (4, "request") and job.error["sentence"].startswith("the worker crashed 4 times while running this job")
