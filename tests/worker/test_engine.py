"""The engine is compiled by separate jobs, submitted once, and other jobs wait for them with a note."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from worker import actors, engine
from worker.desk import Desk
from worker.jobs import JOBS


@pytest.fixture
def nothing_kept(monkeypatch):
    monkeypatch.setattr(engine, "is_compiled", lambda package: False)


def open_jobs(store):
    with store.read() as unit:
        return {job.kind: job for job in unit.jobs.latest(("queued", "running"))}


def compiling(store, note="Compiled 30 of 120 functions, about 30 s left"):
    """A compile job that a worker is running."""
    with store.unit() as unit:
        job, _ = unit.jobs.add("compile", "research", "Compile the engine", {}, "tidemark", unit.now())
        compile_job = unit.jobs.claim(job.id, "another worker", unit.now())
        unit.jobs.beat(job.id, compile_job.epoch, progress=0.25, note=note)
    return compile_job


def backtest(store):
    with store.unit() as unit:
        return unit.jobs.add("backtest", "interactive", "A backtest", {}, "ana", unit.now())[0].id


@pytest.mark.parametrize("example", [True, False])
def test_a_first_start_compiles_with_and_without_the_example(store, desk, nothing_kept, example):
    desk_ = Desk(store, replace(desk.settings, example=example), "tidemark", send=lambda *_: True)
    assert len(engine.start(desk_)) == 2
    jobs = open_jobs(store)
    assert set(jobs) == {"compile", "compile_features"} and {job.queue for job in jobs.values()} == {"research"}      # imports have a lane of their own
    assert engine.start(desk_) == [] and set(open_jobs(store)) == set(jobs)       # a restart beside them asks for nothing twice


def test_what_is_cached_is_not_compiled_again(store, desk, monkeypatch):
    monkeypatch.setattr(engine, "is_compiled", lambda package: package == "backtest")
    engine.start(desk)
    assert set(open_jobs(store)) == {"compile_features"}


def test_a_backtest_waits_for_the_engine_and_says_so(store, settings, monkeypatch):
    compiling(store)
    job_id = backtest(store)
    monkeypatch.setattr(actors.WorkerContext, "store", store, raising=False)
    monkeypatch.setattr(actors.WorkerContext, "settings", settings, raising=False)
    monkeypatch.setattr(actors, "attempt", lambda work: pytest.fail("it ran beside the compiler"))
    actors.run(job_id)
    with store.read() as unit:
        job, later = unit.jobs.get(job_id), unit.now() + timedelta(seconds=5)
        assert job.state == "queued" and job.note == "Waiting for the engine to compile, about 30 s left" and not job.stages and job.epoch == 0
        assert job_id in [job.id for job in unit.jobs.due(later)]       # a worker is told of it again


@pytest.mark.parametrize("after", ["compile_features", ""])
def test_nothing_waits_for_what_it_does_not_need(store, after):
    compiling(store)
    job_id = backtest(store)
    with store.unit() as unit:
        assert not engine.wait_for(unit, job_id, after)


def test_nothing_waits_for_a_compiler_that_died(store):
    compile_job = compiling(store)
    job_id = backtest(store)
    with store.unit() as unit:
        unit.jobs.requeue(compile_job.id, compile_job.epoch, unit.now(), "its worker died")
        assert not engine.wait_for(unit, job_id, "compile")


def test_a_compiler_without_a_time_left_is_waited_for_without_one(store):
    compiling(store, note="Once after an installation; the result is cached")
    job_id = backtest(store)
    with store.unit() as unit:
        assert engine.wait_for(unit, job_id, "compile") and unit.jobs.get(job_id).note == "Waiting for the engine to compile"


def test_every_kind_waits_for_a_kind_that_compiles():
    assert {kind.after for kind in JOBS.values()} == {"", *engine.PACKAGES}
    assert JOBS["backtest"].after == JOBS["sweep"].after == "compile" and JOBS["import"].after == JOBS["generate"].after == JOBS["verify_audit"].after == ""
