"""Four hundred jobs while workers, queue server and scheduler are killed at random: about five minutes for both databases."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from domain.audit import verify
from tests.faults.sizes import size
from tests.worker.flow import Flow, flow
from worker.dispatch import enqueue

pytestmark = pytest.mark.faults
JOBS, KILLS, ROUNDS = size("JOBS", 400), size("STRIKES", 60), size("ROUNDS", 10)
WORK = dict(workers=3, lease=2.0, beat=0.3, sweep=0.2)


def strike(system: Flow, at: random.Random) -> None:
    """Something dies, freezes or forgets."""
    what = at.choices(["worker", "queue", "scheduler", "flush", "freeze"], [6, 1, 1, 1, 1])[0]
    worker = f"worker-{at.randrange(system.workers)}"
    if what == "flush":
        system.queue().flushall()
    elif what == "freeze":
        system.processes[worker].send_signal(signal.SIGSTOP)
        time.sleep(at.uniform(0.1, 4.0))
        system.processes[worker].send_signal(signal.SIGCONT)
    else:
        system.kill(worker if what == "worker" else what)


def test_every_job_has_one_effect_whatever_dies(database, tmp_path, record_property):
    at, began = random.Random(7), time.monotonic()
    with flow(tmp_path, database, **WORK) as system:
        jobs = [system.submit("test_steps", at.choice(["interactive", "research"]), steps=at.randrange(1, 6), seconds=0.05) for _ in range(JOBS // 2)]
        for _ in range(KILLS):
            strike(system, at)
            jobs += [system.submit("test_steps", at.choice(["interactive", "research"]), steps=at.randrange(1, 6), seconds=0.05) for _ in range(JOBS // 2 // KILLS + 1)]
            for job_id in at.sample(jobs, 5):
                enqueue(system.redis_url, at.choice(["interactive", "research"]), job_id)
            time.sleep(at.uniform(0.0, 0.5))
            system.mend()
        until = time.monotonic() + 120
        while (left := [job_id for job_id in jobs if system.row(job_id).open]) and time.monotonic() < until:
            time.sleep(0.5)
        rows = [system.row(job_id) for job_id in jobs]
        effects = system.effects(*jobs)
        with system.store.read() as unit:
            trail, root, size = list(unit.trail.all()), unit.trail.root(), unit.trail.head()[0]
    record_property("seconds", round(time.monotonic() - began))
    record_property("takeovers", sum(row.epoch - 1 for row in rows))
    assert not left and len(jobs) >= JOBS
    given_up = [row for row in rows if row.state == "failed"]
    assert all(row.deaths >= 4 for row in given_up) and len(given_up) <= 2
    assert all(count == (row.state == "done") for count, row in zip(effects, rows, strict=True)), "one effect each, and none of a job that was given up"
    assert verify(trail, root, size).holds
    finished = [record for record in trail if record.kind == "tested"]
    assert len(finished) == sum(row.state == "done" for row in rows), "one event each"


def test_thirty_kills_of_a_running_jobs_worker_each_cost_fifteen_seconds_at_most(tmp_path, database, record_property):
    """With the settings that ship; three jobs side by side, so that it takes minutes and not a quarter of an hour."""
    at, recovered = random.Random(11), []
    with flow(tmp_path, database, workers=4) as system:
        for _ in range(ROUNDS):
            jobs = [system.submit("test_steps", queue, steps=30, seconds=0.1, trace=str(Path(tmp_path) / "trace")) for queue in ("research", "interactive", "research")]
            for job_id in jobs:
                system.begun(job_id, steps=at.randrange(1, 8))
            time.sleep(at.uniform(0.0, 0.8))
            killed = time.monotonic()
            for worker in {system.worker_of(job_id) for job_id in jobs if system.row(job_id).owner}:
                system.kill(worker)
            system.mend()
            for job_id in jobs:
                system.until(job_id, "done", killed + 15 + 3 - time.monotonic())
                recovered.append(round(time.monotonic() - killed, 2))
            assert system.effects(*jobs) == [1] * 3
    record_property("slowest_recovery_s", max(recovered))
