"""Actors in this process, without a queue: claim, run, commit, and the fault of a failure."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.worker.kinds import waiting
from worker import actors
from worker.actors import WorkerContext, run, wake
from worker.jobs.base import JOBS, Fenced, Work
from worker.leases import Watch, rescue
from worker.store import Filter, Job
from worker.store.jobs import MOST_DEATHS
from worker.store.schema import jobs


@pytest.fixture
def submit(system, store, tmp_path):
    def submit(kind: str, key: str | None = None, **spec: object) -> str:
        with store.unit() as unit:
            return unit.jobs.add(kind, "research", "", {"trace": str(tmp_path / "trace"), **spec}, "ana", unit.now(), key)[0].id

    return submit


@pytest.fixture
def row(store):
    def row(job_id: str) -> Job:
        with store.read() as unit:
            return unit.jobs.get(job_id)

    return row


def events(store, job_id: str) -> list[str]:
    with store.read() as unit:
        return [record.kind for record in unit.trail.all(Filter(entity=f"job:{job_id}"))]


def effects(store) -> int:
    with store.read() as unit:
        return unit.runs.count()


def beside(job_id: str) -> threading.Thread:
    thread = threading.Thread(target=run, args=(job_id,))
    thread.start()
    return thread


def test_a_job_runs_and_its_result_and_event_stand_together(submit, row, store, tmp_path):
    job_id = submit("test_steps", steps=3, seconds=0.1)
    run(job_id)
    job = row(job_id)
    assert (job.state, job.progress, job.note, job.result["steps"], job.checkpoint, job.error, job.epoch) == ("done", 1.0, "", 3, None, None, 1)
    assert job.stages[0][0] == "Steps" and job.started_at < job.ended_at
    assert events(store, job_id) == ["job_started", "tested"] and effects(store) == 1
    assert (tmp_path / "trace").read_text().split("\n") == ["1 0", "1 1", "1 2", ""]


def test_five_deliveries_run_once(submit, row, store, tmp_path):
    job_id = submit("test_steps", steps=2, seconds=0.1)
    for thread in [beside(job_id) for _ in range(5)]:
        thread.join()
    run(job_id)
    assert (row(job_id).state, row(job_id).epoch, effects(store)) == ("done", 1, 1)
    assert (tmp_path / "trace").read_text().split("\n") == ["1 0", "1 1", ""] and events(store, job_id) == ["job_started", "tested"]


def test_a_message_waits_for_a_job_that_is_being_written_at_this_moment(submit, row, store):
    """The scheduler notes when a job was sent just as its message arrives, and there is no other message."""
    job_id = submit("test_steps", steps=1, seconds=0.0)
    with store.unit() as unit:
        unit.jobs.sent([job_id], unit.now())
        arrived = threading.Thread(target=wake, args=("research", job_id))
        arrived.start()
        arrived.join(0.2)
    arrived.join(20)
    assert row(job_id).state == "done" and effects(store) == 1


def test_a_message_for_nothing_does_nothing(system, store):
    run("nosuch")
    assert effects(store) == 0


def test_progress_and_checkpoint_are_written_while_it_runs(submit, row):
    job_id = submit("test_steps", steps=6, seconds=0.1)
    thread = beside(job_id)
    seen = waiting(lambda: (job := row(job_id)).checkpoint and job, 5)
    assert 0 < seen.progress < 1 and seen.note.startswith("step ") and seen.checkpoint["done"] == round(seen.progress * 6) and seen.stages[0][0] == "Steps"
    thread.join()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("job_kind", ["test_bug", "test_bug_at_the_end"])
def test_a_bug_shows_an_id_on_the_row_and_its_traceback_under_that_id_in_the_log(submit, row, store, caplog, job_kind):
    job_id = submit(job_kind, key="k")
    with caplog.at_level(logging.ERROR):
        run(job_id)
    job = row(job_id)
    assert (job.state, job.error["fault"], job.key) == ("failed", "bug", None) and job.error["sentence"] == "Internal error. The details are in the log."
    logged = next(record for record in caplog.records if job.error["id"] in record.getMessage())
    assert logged.exc_info and logged.exc_info[0] in (ZeroDivisionError, KeyError) and job_id in logged.getMessage()
    assert events(store, job_id) == ["job_started", "job_failed"] and effects(store) == 0


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("job_kind", "spec", "fault", "sentence"), [
    ("test_refused", dict(fault="request"), "request", "what was asked, what was found, what to do"),
    ("test_refused", dict(fault="data"), "data", "what was asked, what was found, what to do"),
    ("test_nothing", {}, "request", "no kind of job named 'test_nothing'"),
])  # fmt: skip
def test_whose_fault_it_was_is_stated(submit, row, store, job_kind, spec, fault, sentence):
    job_id = submit(job_kind, **spec)
    run(job_id)
    assert (row(job_id).state, row(job_id).error["fault"], row(job_id).error["id"]) == ("failed", fault, "") and sentence in row(job_id).error["sentence"]
    assert events(store, job_id) == ["job_started", "job_failed"]


def test_the_outside_world_is_requested_again_and_the_checkpoint_is_kept(submit, row, store):
    job_id = submit("test_unavailable", times=2)
    run(job_id)
    waits = row(job_id)
    assert (waits.state, waits.attempts, waits.checkpoint) == ("queued", 1, {"attempt": 0}) and waits.note == "retry in 2 s: the venue does not answer."
    for times in (1, 2):
        not_before(store, job_id, timedelta(minutes=5))
        run(job_id)
        assert row(job_id).attempts == times, "before its time it is not claimed"
        not_before(store, job_id, -timedelta(minutes=5))
        run(job_id)
    assert (row(job_id).state, row(job_id).result["checkpoint"]) == ("done", {"attempt": 1})
    assert events(store, job_id) == ["job_started", "job_postponed"] * 2 + ["job_started", "tested"]


def not_before(store, job_id: str, later: timedelta) -> None:
    with store.unit() as unit:
        at = unit.now() + later
    with store.engine.begin() as connection:
        connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(not_before=at))


def test_a_world_that_stays_away_fails_the_job_with_a_sentence(submit, row, store, monkeypatch):
    monkeypatch.setattr(actors, "FIRST_WAIT", 0.0)
    job_id = submit("test_unavailable", times=99)
    for _ in range(3):
        run(job_id)
    assert (row(job_id).state, row(job_id).error["fault"], row(job_id).error["sentence"]) == ("failed", "source", "the venue does not answer. Tried 3 times.")


def test_the_waits_grow_and_end(submit, row, monkeypatch):
    monkeypatch.setitem(JOBS._things, "test_unavailable", replace(JOBS["test_unavailable"], retries=99))
    job_id, waits = submit("test_unavailable", times=99), []
    for _ in range(5):
        run(job_id)
        job = row(job_id)
        waits.append(int(job.note.split()[2]))
        with WorkerContext.store.unit() as unit:
            unit._c.exec_driver_sql("UPDATE jobs SET not_before = NULL")
    assert waits == [2, 8, 32, 128, 300]


def test_a_kinds_time_limit_ends_the_job(submit, row):
    job_id = submit("test_slow")
    run(job_id)
    assert (row(job_id).state, row(job_id).error["fault"]) == ("failed", "limit") and row(job_id).error["sentence"] == "It ran longer than 0 s, the limit for this kind of job. Ask for less at once."


def test_a_running_job_is_cancelled_by_name(submit, row, store):
    job_id = submit("test_stubborn")
    thread = beside(job_id)
    waiting(lambda: row(job_id).state == "running", 5)
    with store.unit() as unit:
        assert unit.jobs.cancel(job_id, "bob", unit.now())
    thread.join(5)
    assert (row(job_id).state, row(job_id).cancelled_by) == ("cancelled", "bob")
    with store.read() as unit:
        assert [(event.kind, event.actor) for event in unit.trail.all(Filter(entity=f"job:{job_id}"))][-1] == ("job_cancelled", "bob")


def test_who_was_cancelled_while_no_worker_held_the_job_is_not_worked_on(submit, row, store, tmp_path):
    job_id = submit("test_steps", steps=1, seconds=0.0)
    with store.unit() as unit:
        unit.jobs.claim(job_id, "dead", unit.now())
        unit.jobs.cancel(job_id, "bob", unit.now())
        assert unit.jobs.rescue(job_id, 1, 0)
    run(job_id)
    assert (row(job_id).state, row(job_id).cancelled_by) == ("cancelled", "bob") and not (tmp_path / "trace").exists()


def test_a_worker_that_leaves_puts_its_job_back_and_another_goes_on(submit, row, store, tmp_path):
    job_id = submit("test_steps", steps=8, seconds=0.1)
    thread = beside(job_id)
    waiting(lambda: row(job_id).checkpoint, 5)
    actors.stop_running()
    thread.join(5)
    back = row(job_id)
    assert (back.state, back.attempts, back.deaths, back.owner) == ("queued", 0, 0, None) and back.note == "its worker was stopped; it resumes when one is free"
    WorkerContext.leaving = False
    run(job_id)
    assert row(job_id).state == "done" and events(store, job_id) == ["job_started", "job_put_back", "job_started", "tested"]
    done = [line.split() for line in (tmp_path / "trace").read_text().split("\n") if line]
    assert [step for _, step in done] == [str(step) for step in range(8)], "no step twice: the checkpoint was taken along"


def test_a_message_that_comes_while_the_worker_leaves_is_for_the_next(submit, row):
    job_id = submit("test_steps", steps=2, seconds=0.0)
    actors.stop_running()
    run(job_id)
    assert row(job_id).state == "queued"


def test_who_was_cancelled_while_the_world_was_away_does_not_wait(submit, row, store, monkeypatch):
    """Nor is it put back when its worker leaves."""
    for kind, then in (("test_unavailable", None), ("test_steps", actors.stop_running)):
        WorkerContext.leaving = False
        job_id = submit(kind, times=99, steps=1, seconds=0.0)
        claim = actors.attempt

        def attempt(work, claim=claim, then=then, job_id=job_id):
            if then:
                then()
            with store.unit() as unit:
                unit.jobs.cancel(job_id, "bob", unit.now())
            return claim(work)

        with monkeypatch.context() as patched:
            patched.setattr(actors, "attempt", attempt)
            run(job_id)
        assert (row(job_id).state, row(job_id).cancelled_by) == ("cancelled", "bob")


def test_a_job_that_killed_its_workers_is_not_tried_for_ever(submit, row, store):
    job_id = submit("test_steps", steps=1, seconds=0.0)
    with store.unit() as unit:
        for death in range(MOST_DEATHS):
            unit.jobs.claim(job_id, f"dead {death}", unit.now())
            unit.jobs.rescue(job_id, death + 1, 0)
    run(job_id)
    assert (row(job_id).state, row(job_id).deaths, effects(store)) == ("failed", MOST_DEATHS, 0)
    assert row(job_id).error["sentence"].startswith(f"the worker crashed {MOST_DEATHS} times while running this job; it is not retried automatically.")


def test_a_zombie_that_finishes_writes_nothing(submit, row, store):
    """It was silent for longer than its lease, and another took over."""
    job_id = submit("test_steps", steps=1, seconds=0.0)
    with store.unit() as unit:
        old = unit.jobs.claim(job_id, "old", unit.now())
        unit.jobs.rescue(job_id, 1, 0)
    run(job_id)
    with pytest.raises(Fenced):
        actors.record_outcome(Work(store, WorkerContext.settings, old), actors.attempt(Work(store, WorkerContext.settings, old)))
    assert (row(job_id).epoch, effects(store)) == (2, 1) and events(store, job_id) == ["job_started", "tested"]


def test_a_zombie_notices_at_its_next_sign_of_life(submit, row, store, caplog):
    job_id = submit("test_stubborn")
    thread = beside(job_id)
    waiting(lambda: row(job_id).state == "running", 5)
    with store.unit() as unit:
        unit._c.exec_driver_sql("UPDATE jobs SET epoch = 7, owner = 'another'")
    thread.join(5)
    assert (row(job_id).state, row(job_id).owner, effects(store)) == ("running", "another", 0) and events(store, job_id) == ["job_started"]


def test_an_end_that_cannot_be_written_is_left_to_the_lease(submit, row, store, monkeypatch):
    job_id = submit("test_steps", steps=1, seconds=0.0)

    def away(work, commit):
        raise OperationalError("COMMIT", {}, Exception("the database is away"))

    with monkeypatch.context() as patched:
        patched.setattr(actors, "done", away)
        run(job_id)
    assert (row(job_id).state, row(job_id).epoch) == ("running", 1)
    run(job_id)
    assert row(job_id).epoch == 1
    at = iter((0.0, 1.9, 3.8))
    watch = Watch(2.0, clock=lambda: next(at))
    assert [rescue(store, watch) for _ in range(3)] == [[], [], [job_id]]
    run(job_id)
    assert (row(job_id).state, row(job_id).epoch, effects(store)) == ("done", 2, 1)


def test_nothing_is_left_running_behind_a_job(submit):
    for kind in ("test_steps", "test_bug", "test_refused", "test_slow"):
        run(submit(kind, steps=1, seconds=0.0, fault="request"))
    assert WorkerContext.running == set() and not [thread for thread in threading.enumerate() if thread.name.startswith("beat-")]
