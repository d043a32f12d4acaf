"""A training shared by real workers, one of which is killed: the same hashes, on both databases."""

from __future__ import annotations

import pytest

from tests.worker.flow import Flow, flow
from tests.worker.kinds import waiting
from tests.worker.training_jobs import END, START, as_whole, question
from worker.desk import TrainingRequest

pytestmark = pytest.mark.faults
SCHEME = dict(train=40, validation=5, calibration=5, test=3, embargo=4)     # two dozen folds
QUICK = dict(lease=2.0, beat=0.2, sweep=0.2)


def training_request(system: Flow) -> TrainingRequest:
    job_id = system.desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3).job.id
    system.until(job_id, "done", 120)
    return question(system.desk, system.row(job_id).result["dataset"], params=dict(levels="0.1,0.5,0.9"), scheme_params=SCHEME, target_params=dict(horizon=4, every=1))


def anew(system: Flow, request: TrainingRequest) -> str:
    return system.desk.training._context.submit("train", "train", system.desk.training.spec(request), queue="research").job.id


def test_a_killed_worker_costs_a_fold_and_not_a_byte(database, tmp_path):
    with flow(tmp_path, database, **QUICK) as system:
        request = training_request(system)
        whole = system.until(anew(system, request), "done", 180)
        job_id = anew(system, request)

        def both() -> bool:
            with system.store.read() as unit:
                parts = unit.chunks.all(job_id)
            return len({part.holder for part in parts if part.holder}) > 1 and 2 <= sum(part.done_at is not None for part in parts) < len(parts)

        waiting(both, 120, "both workers fit folds")
        system.kill(system.worker_of(job_id))
        broken = system.until(job_id, "done", 180)
        runs = [system.desk.training.get(job.result["run"]) for job in (whole, broken)]
        assert as_whole(runs[0]) == as_whole(runs[1]) and broken.deaths == 1 and system.effects(job_id) == [1]
        with system.store.read() as unit:
            assert len({row["spec"] for row in unit.trials.rows()}) == 1, "the same question twice is one trial"


def test_cancel_stops_every_worker_and_keeps_what_they_finished(database, tmp_path):
    with flow(tmp_path, database, **QUICK) as system:
        job_id = anew(system, training_request(system))

        def some() -> bool:
            return len(system.desk.training.progress(job_id).folds) >= 2

        waiting(some, 120, "two folds are shown while it runs")
        system.desk.jobs.cancel(job_id)
        stopped = system.until(job_id, "cancelled", 60)
        waiting(lambda: not [job for job in system.desk.jobs.latest(("part",), ("running", "queued"))], 60, "its helpers stop")
        partial = system.desk.training.get(stopped.result["run"])
        assert partial.summary["partial"] and 2 <= partial.summary["folds"] < partial.summary["expected"]
        whole = system.until(system.desk.training.resume(partial.id).job.id, "done", 180)
        assert not system.desk.training.get(whole.result["run"]).summary["partial"]
