"""Tuning as a job: each trial counted once, and an interrupted one goes on as it would have."""

from __future__ import annotations

import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from tests.worker.training_jobs import SCHEME, bars, claimed, question
from worker import actors
from worker.jobs import training_request
from worker.jobs.base import ShuttingDown
from worker.jobs.train import params_hash

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
SPACE = {"l2": {"low": 0.001, "high": 100.0, "log": True}, "half_life": [10, 200]}
TUNING = dict(trials=6, batch=3, seed=1)
REQUEST = dict(scheme_params=SCHEME | dict(train=35, validation=10))


def tuned(desk, job_id):
    actors.run(job_id)
    job = desk.jobs.get(job_id)
    assert job.state == "done", job.error
    return desk.tuning.get(job.result["run"])


@on_sqlite
def test_a_tuning_becomes_a_run_and_each_trial_one_row_of_the_ledger(system, desk, store):
    request = question(desk, **REQUEST)
    submitted = desk.tuning.submit(request, SPACE, TUNING)
    run = tuned(desk, submitted.job.id)
    table = desk.tuning.table(run.id)
    assert (run.kind, run.actor, run.synthetic, len(table), run.summary["trials"]) == ("tune", "ana", True, 6, 6) and run.summary["given_up"] == table["given_up"].sum()
    with store.read() as unit:
        rows = unit.trials.rows(job_id=run.job_id)
        assert {row["kind"] for row in rows} == {"tune"} and len(rows) == len({row["spec"] for row in rows}) == 6
        assert unit.trials.count(run.spec["datasets"], "forecast") == 6 and unit.chunks.all(run.job_id) == []
    chosen = table[table["chosen"]].iloc[0]
    assert desk.tuning.params(run.id)["l2"] == chosen["l2"] == run.summary["params"]["l2"] and run.summary["loss"] == chosen["loss"]
    assert chosen["nearest"] == table["nearest"].min()
    heat = desk.tuning.heat(run.id, "l2", "half_life")
    assert heat["points"].sum() == table["loss"].notna().sum()
    with pytest.raises(BadRequest, match="no heat map of a and b; it has l2 × half_life"):
        desk.tuning.heat(run.id, "a", "b")
    assert not desk.tuning.submit(request, SPACE, TUNING).new and [event.kind for event in desk.trail.history(f"run:{run.id}")] == ["run_finished"]


@on_sqlite
def test_a_training_of_what_was_chosen_is_no_further_trial(system, desk, store, settings):
    """It is the same question, under the same hash in the ledger."""
    dataset = bars(desk)
    run = tuned(desk, desk.tuning.submit(question(desk, dataset, **REQUEST), {"l2": {"choices": [0.1, 10.0]}}, dict(trials=2, batch=2, sampler="random")).job.id)
    job = desk.training.submit(question(desk, dataset, params=desk.tuning.params(run.id), **REQUEST)).job
    requested = training_request.read(job.spec, claimed(desk, store, settings, job.id))
    with store.read() as unit:
        rows = unit.trials.rows(job_id=run.job_id)
    assert (requested.question.hash, params_hash(job.spec)) in [(row["spec"], row["params"]) for row in rows]


@on_sqlite
def test_a_tuning_that_was_interrupted_ends_as_if_it_had_not_been(system, desk, store, monkeypatch):
    from domain.training import tune

    request = question(desk, **REQUEST)
    whole = desk.tuning.table(tuned(desk, desk.tuning.submit(request, SPACE, TUNING).job.id).id)
    spec = desk.training.spec(request) | dict(space=SPACE, tuning=desk.jobs.latest(("tune",))[0].spec["tuning"])
    job_id = desk.training._context.submit("tune", "again", spec, queue="research").job.id
    fitted, original = [], tune.trial

    def trial(question, listing, folds, number, *rest):
        if number == 4 and len(fitted) == 4:
            fitted.append("stop")
            raise ShuttingDown
        fitted.append(number)
        return original(question, listing, folds, number, *rest)

    monkeypatch.setattr(tune, "trial", trial)
    actors.run(job_id)
    assert desk.jobs.get(job_id).open
    again = tuned(desk, job_id)
    assert fitted == [0, 1, 2, 3, "stop", 4, 5], "no trial is fitted twice"
    pd.testing.assert_frame_equal(desk.tuning.table(again.id), whole)
    with store.read() as unit:
        assert len(unit.trials.rows(job_id=job_id)) == 6


@on_sqlite
def test_what_cannot_be_tuned_is_refused_before_it_is_queued(system, desk):
    request = question(desk, **REQUEST)
    with pytest.raises(UnknownName, match="no parameter to search named 'half_live'; did you mean 'half_life'"):
        desk.tuning.submit(request, {"half_live": [0, 1]})
    with pytest.raises(BadRequest, match="trials is 0"):
        desk.tuning.submit(request, SPACE, dict(trials=0))
    assert {"l2", "half_life", "weights"} <= set(desk.tuning.tunable("linear")) and [p.name for p in desk.tuning.options()] == ["trials", "batch", "sampler", "prune", "seed"]
