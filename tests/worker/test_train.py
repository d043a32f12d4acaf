"""Training as a job: shared, watched, cancelled, resumed, killed; and what its models become."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from dataclasses import replace

import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.worker.kinds import waiting
from worker import actors
from worker.desk import TrainingRequest
from worker.jobs.base import Cancelled, Work
from worker.store import Filter, Process

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)
SCHEME = dict(train=40, validation=5, calibration=10, test=15, embargo=4)
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def question(desk, **changed) -> TrainingRequest:
    """A linear forecast of the return 4 bars ahead, on four months of synthetic bars."""
    job = desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3).job
    actors.run(job.id)
    dataset = desk.jobs.get(job.id).result["dataset"]
    asked = dict(columns=["return_deviation(20)", "atr(14)", "rsi(14)"], learner="linear", target="return", target_params=dict(horizon=4, every=4), scheme_params=SCHEME)
    return TrainingRequest([dataset], "H1", START, END, **(asked | changed))


def done(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return desk.training.get(job.result["run"])


@on_sqlite
def test_a_question_becomes_a_run(system, desk, store):
    run = done(desk, desk.training.submit(question(desk)))
    print(run.summary["report"]["verdict"], run.frames, run.summary["folds"])
    print(desk.training.table(run.id, "scores").T)
    print(run.manifest)
