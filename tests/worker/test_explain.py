"""Explanation of a training as a job."""

from __future__ import annotations

import numpy as np
import pytest

from tests.worker.training_jobs import FOLDS, anew, question, trained
from worker import actors

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def submitted(desk, spec):
    return desk.training._context.submit("explain", "Explain", spec, queue="research").job.id


@on_sqlite
def test_stored_models_are_explained_on_their_test_parts(system, desk, store):
    run = trained(desk, anew(desk, question(desk)))
    job_id = submitted(desk, dict(run=run.id))
    actors.run(job_id)
    job = desk.jobs.get(job_id)
    assert job.state == "done", job.error
    with store.read() as unit:
        listing = unit.runs.get(job.result["run"])
    tables = {name: store.frames.get(frame) for name, frame in listing.frames.items()}
    assert listing.kind == "explain" and set(tables) == {"importance", "dependence", "boundary", "contributions"}
    assert listing.summary["folds"] == FOLDS and listing.summary["output"] == "value" and listing.summary["middle"] == 0.0 and listing.summary["contributions"]
    columns = set(desk.training.get(run.id).spec["columns"])
    assert set(tables["importance"]["column"]) == columns and (tables["importance"]["low"] <= tables["importance"]["high"]).all()
    assert set(tables["dependence"]["column"]) <= columns and np.isfinite(tables["dependence"]["prediction"]).all()
    assert {"first", "second", "x", "x0", "x1", "y", "y0", "y1", "prediction"} == set(tables["boundary"])
    reported = tables["contributions"]
    assert np.allclose(reported[sorted(columns)].sum(axis=1) + reported["base"], reported["score"], atol=1e-12)
    assert np.allclose(reported["score"], reported["prediction"], atol=1e-12), "the score of a number is the forecast itself"
    by_time = desk.training.table(run.id, "predictions").set_index("start")["raw_value"]
    assert np.allclose(by_time.loc[reported["start"].astype(by_time.index.dtype)], reported["prediction"], atol=1e-12), "of the last fold's own test part"


@on_sqlite
def test_what_is_no_training_is_refused(system, desk):
    job_id = submitted(desk, dict(run="nowhere"))
    actors.run(job_id)
    job = desk.jobs.get(job_id)
    assert job.state == "failed" and "is no whole run of training" in str(job.error)
