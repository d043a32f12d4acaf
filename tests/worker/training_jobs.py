"""A small question, asked as a job, for tests of training."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from worker import actors
from worker.desk import Desk, TrainingRequest
from worker.jobs.base import Work
from worker.store import Run

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)
SCHEME = dict(train=40, validation=5, calibration=10, test=15, embargo=4)
REQUEST: dict[str, Any] = dict(columns=["day_of_week_sine", "sma(9)", "rsi(14)"], learner="linear", target="return", target_params=dict(horizon=4, every=4), scheme_params=SCHEME)
FOLDS = 4


def bars(desk: Desk, seed: int = 3) -> str:
    """Four months of synthetic hours: the id of their dataset."""
    job = desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, seed).job
    actors.run(job.id)
    return desk.jobs.get(job.id).result["dataset"]


def question(desk: Desk, dataset: str = "", **changed: Any) -> TrainingRequest:
    """A linear forecast of the return 4 bars ahead, in 4 folds."""
    return TrainingRequest([dataset or bars(desk)], "H1", START, END, **(REQUEST | changed))


def anew(desk: Desk, request: TrainingRequest) -> str:
    """The same question as a job of its own, whoever asked it before."""
    return desk.training._context.submit("train", "train", desk.training.spec(request), queue="research").job.id


def trained(desk: Desk, job_id: str) -> Run:
    """Work on the job here, to its end."""
    actors.run(job_id)
    job = desk.jobs.get(job_id)
    assert job.state == "done", job.error
    return desk.training.get(job.result["run"])


def as_whole(run: Run) -> tuple[Any, ...]:
    """What must be the same however the work was shared: tables, files and report."""
    return dict(run.frames), run.summary["files"], run.summary["model"], run.summary["report"] | dict(trials=None)


def claimed(desk: Desk, store: Any, settings: Any, job_id: str) -> Work:
    with store.unit() as unit:
        return Work(store, settings, unit.jobs.claim(job_id, "test", unit.now()))
