"""The flow with the real queue and real workers, with the settings that ship: what is promised when things are killed."""

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


pytestmark = [pytest.mark.alone, pytest.mark.xdist_group("flow")]        # one house of each kind for all of them, and its trail at the end


@pytest.fixture(scope="module", params=KINDS)
def shared(request, tmp_path_factory) -> Iterator[Flow]:
    home = tmp_path_factory.mktemp("flow")
    if request.param == "sqlite":
        with flow(home, migrated(f"sqlite:///{home / 'tidemark.db'}")) as made:
            yield made
    else:
        with request.getfixturevalue("postgres_server").database(migrated=True) as url, flow(home, url) as made:
            yield made


@pytest.fixture
def house(shared) -> Flow:
    """Two workers, whatever the test before did to them."""
    shared.mend()
    return shared


on_sqlite = pytest.mark.parametrize("shared", ["sqlite"], indirect=True)


def test_a_question_becomes_a_result(house):
    """Through the desk, the queue, a worker and both stores: bars are made and read back."""
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 8, tzinfo=UTC)
    asked = house.desk.data.generate("gbm", {}, "EURUSD", "M5", start, end, 7)
    job = house.until(asked.job.id, "done", 30)
    dataset = house.desk.data.get(job.result["dataset"])
    assert dataset.bars == len(house.store.frames.get(dataset.frame)) > 1_000 and dataset.actor == "ana"
    assert house.events(job.id) == ["job_submitted", "job_started", "dataset_imported"]
    assert [event.kind for event in house.desk.trail.story(f"dataset:{dataset.id}")] == ["dataset_imported"]


def test_a_message_delivered_five_times_runs_once(house):
    job_id = house.submit("test_steps", steps=4, seconds=0.1)
    from worker.dispatch import enqueue

    for queue in ("research", "interactive", "research", "interactive"):
        assert enqueue(house.redis_url, queue, job_id)
    house.until(job_id, "done", 20)
    waiting(lambda: not house.queue().hlen("dramatiq:research.msgs") and not house.queue().hlen("dramatiq:interactive.msgs"), 10, "every message was taken")
    assert [step for epoch, step in house.traced("test_steps")][-4:] == ["0", "1", "2", "3"]
    assert (house.row(job_id).epoch, house.effects(job_id)) == (1, [1]) and house.events(job_id) == ["job_submitted", "job_started", "tested"]


def test_kill_9_of_the_worker_costs_fifteen_seconds_at_most(house, record_property):
    """From its checkpoint, by another worker, with one effect."""
    steps = int(OWN / 0.1)
    job_id = house.submit("test_steps", steps=steps, seconds=0.1, trace=str(house.home / "trace-killed"))
    seen = house.begun(job_id, steps=8).checkpoint["done"]
    killed = time.monotonic()
    house.kill(house.worker_of(job_id))
    job = house.until(job_id, "done", 15 + OWN)
    record_property("recovered_after_s", round(time.monotonic() - killed, 2))
    assert (job.epoch, job.deaths, house.effects(job_id)) == (2, 1, [1])
    assert house.events(job_id) == ["job_submitted", "job_started", "job_started", "tested"]
    second = [int(step) for epoch, step in house.traced("killed") if epoch == "2"]
    assert second == list(range(second[0], steps)) and second[0] >= seen, "it went on from its checkpoint"


def test_what_a_dead_worker_left_is_taken_up_before_thirteen_that_wait(house, record_property):
    """Both lanes are full and thirteen jobs wait: the one whose worker died starts again within fifteen seconds, and nothing waits longer for its message."""
    lost = house.submit("test_steps", steps=60, seconds=0.1, trace=str(house.home / "trace-before-others"))
    house.begun(lost, steps=3)
    others = [house.submit("test_steps", steps=12, seconds=0.1) for _ in range(13)]
    killed = time.monotonic()
    house.kill(house.worker_of(lost))
    house.mend()
    waiting(lambda: house.row(lost).epoch == 2, 15 - (time.monotonic() - killed), str(house.row(lost)))
    record_property("taken_up_after_s", round(time.monotonic() - killed, 2))
    for job_id in (lost, *others):
        house.until(job_id, "done", 40)
    with house.store.look() as unit:
        begun = [record.kind == "job_started" and next((one for one in (lost, *others) if one in record.body), "") for record in unit.trail.all()]
    second = [at for at, job_id in enumerate(begun) if job_id == lost][1]
    assert house.row(lost).deaths == 1 and sum(job_id in others for job_id in begun[second:] if job_id) >= 8, "those that wait go on waiting"
    steps = [int(step) for _, step in house.traced("before-others")]
    assert steps[-1] == 59 and steps.count(0) == 1 and house.effects(lost, *others) == [1] * 14


def several(house: Flow, count: int = 10) -> list[str]:
    return [house.submit("test_steps", steps=1, seconds=0.2) for _ in range(count)]


def all_done(house: Flow, jobs: list[str], since: float) -> float:
    """Seconds until all were done, each once; thirty are promised."""
    for job_id in jobs:
        house.until(job_id, "done", max(since + 30 - time.monotonic(), 0.1))
    assert house.effects(*jobs) == [1] * len(jobs) and all(house.row(job_id).epoch == 1 for job_id in jobs)
    return round(time.monotonic() - since, 2)


def test_flushall_loses_nothing(house, record_property):
    jobs = several(house)
    house.queue().flushall()
    record_property("all_done_after_s", all_done(house, jobs, time.monotonic()))


def test_kill_9_of_the_queue_server_loses_nothing(house, record_property):
    """Its last second was not on disk yet, and what was submitted while it was away was never sent."""
    jobs = several(house, 5)
    house.kill("queue")
    began = time.monotonic()
    jobs += several(house, 3)
    assert time.monotonic() - began < 2, "a person does not wait for a queue server that is away"
    assert [house.row(job_id).state for job_id in jobs[5:]] == ["queued"] * 3 and house.row(jobs[5]).sent_at is None
    house.start_queue()
    record_property("all_done_after_s", all_done(house, jobs, time.monotonic()))


@on_sqlite
def test_a_queue_server_that_starts_empty_loses_nothing(house, record_property):
    jobs = several(house, 5)
    house.kill("queue")
    for path in sorted((house.home / "queue").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    house.start_queue()
    record_property("all_done_after_s", all_done(house, jobs, time.monotonic()))


def test_a_cancel_is_seen_within_a_second(house, record_property):
    job_id = house.submit("test_stubborn")
    house.until(job_id, "running", 20)
    asked = time.monotonic()
    assert house.desk.jobs.cancel(job_id)
    house.until(job_id, "cancelled", 1.5)
    record_property("cancelled_after_s", round(time.monotonic() - asked, 2))
    assert house.events(job_id) == ["job_submitted", "job_started", "job_cancel_requested", "job_cancelled"] and house.effects(job_id) == [0]


@on_sqlite
def test_a_bug_shows_an_id_and_its_traceback_is_in_the_log(house):
    job_id = house.submit("test_bug")
    error = house.until(job_id, "failed", 20).error
    logged = house.log("worker-0") + house.log("worker-1")
    assert error["fault"] == "bug" and f"error {error['id']} in job {job_id} (test_bug)" in logged
    after = logged.split(error["id"])[1]
    assert "Traceback" in after and "ZeroDivisionError" in after


@on_sqlite
def test_an_interactive_job_does_not_wait_behind_research(house):
    long = [house.submit("test_deaf", seconds=1.5) for _ in range(6)]
    waiting(lambda: [house.row(job_id).state for job_id in long].count("running") == 2, 20, "both research lanes are full")
    quick = house.until(house.submit("test_steps", "interactive", steps=1, seconds=0.0), "done", 5)
    assert (quick.started_at - quick.created_at).total_seconds() < 1 and [house.row(job_id).state for job_id in long].count("queued") >= 2
    for job_id in long:
        house.until(job_id, "done", 20)


def test_a_worker_told_to_stop_puts_its_job_back_and_another_finishes_it(house):
    job_id = house.submit("test_steps", steps=20, seconds=0.1, trace=str(house.home / "trace-stopped"))
    house.begun(job_id, steps=4)
    worker = house.worker_of(job_id)
    house.processes[worker].terminate()
    assert house.processes[worker].wait(5) == 0
    job = house.until(job_id, "done", 12)
    assert (job.epoch, job.deaths, job.attempts, house.effects(job_id)) == (2, 0, 0, [1])
    assert house.events(job_id) == ["job_submitted", "job_started", "job_put_back", "job_started", "tested"]
    assert [step for _, step in house.traced("stopped")] == [str(step) for step in range(20)]


@on_sqlite
def test_a_worker_that_cannot_look_up_still_leaves_in_time(house):
    """Its job is in compiled code: that it ended is seen at once, and the job is free."""
    job_id = house.submit("test_deaf", seconds=8.0, trace=str(house.home / "trace-left"))
    house.until(job_id, "running", 20)
    worker = house.worker_of(job_id)
    house.processes[worker].terminate()
    assert house.processes[worker].wait(7) == 0 and house.row(job_id).state == "running"
    house.desk.jobs.cancel(job_id)
    house.until(job_id, "cancelled", 5)


def freeze(house: Flow, worker: str) -> None:
    """SIGSTOP, but not while it holds the write lock of the database: nothing could go on then."""
    while True:
        house.processes[worker].send_signal(signal.SIGSTOP)
        try:
            with sqlite3.connect(house.home / "tidemark.db", timeout=0.5, isolation_level=None) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            house.processes[worker].send_signal(signal.SIGCONT)
            time.sleep(0.05)


@on_sqlite
def test_a_zombie_past_its_lease_writes_nothing(house):
    job_id = house.submit("test_steps", steps=20, seconds=0.1)
    house.begun(job_id, steps=2)
    worker = house.worker_of(job_id)
    freeze(house, worker)
    waiting(lambda: house.row(job_id).epoch == 2, 15, "another took over")
    house.processes[worker].send_signal(signal.SIGCONT)
    job = house.until(job_id, "done", 20)
    waiting(lambda: f"job {job_id}, attempt 1: another worker owns it by now" in house.log(worker), 10, "it noticed")
    assert (job.epoch, house.effects(job_id), house.gone(worker)) == (2, [1], False)
    assert house.events(job_id) == ["job_submitted", "job_started", "job_started", "tested"]


def test_the_trail_of_all_this_holds(house):
    with house.store.look() as unit:
        rows, root, size = list(unit.trail.all()), unit.trail.root(), unit.trail.head()[0]
    assert verify(rows, root, size).holds and size > 3


def test_a_job_that_kills_every_worker_is_given_up_with_a_sentence(tmp_path):
    with flow(tmp_path, migrated(f"sqlite:///{tmp_path / 'tidemark.db'}"), workers=3, lease=1.0, beat=0.2, sweep=0.1) as house:
        with house.store.unit() as unit:
            job, _ = unit.jobs.add("test_deadly", "research", "", {}, "ana", unit.now())
            unit._c.exec_driver_sql("UPDATE jobs SET deaths = 2")       # two more are enough
        job = house.until(job.id, "failed", 60)
        assert sum(house.gone(f"worker-{number}") for number in range(3)) == 2
    assert (job.deaths, job.error["fault"]) == (4, "request") and job.error["sentence"].startswith("the worker crashed 4 times while running this job")
