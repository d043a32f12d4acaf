"""Training as a job: shared, watched, cancelled, resumed, killed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.models.base import Loss
from tests.worker.kinds import waiting
from tests.worker.training_jobs import END, FOLDS, START, anew, as_whole, bars, question, trained
from worker import actors
from worker.desk.features import FeatureRequest
from worker.jobs import train as job
from worker.jobs import training_request
from worker.jobs.base import Cancelled, Fenced, Work
from worker.store import Process

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def interrupted(monkeypatch, after: int, error: type[BaseException]) -> list[int]:
    """``error`` in the place of a fold, once so many are fitted; the folds that are begun, in order."""
    begun, fit = [], job.fit_fold

    def fit_fold(listing, fold, *rest, **named):
        if len(begun) == after:
            raise error
        begun.append(fold.number)
        return fit(listing, fold, *rest, **named)

    monkeypatch.setattr(job, "fit_fold", fit_fold)
    return begun


def test_a_question_becomes_a_run_and_a_trial_whatever_its_folds(system, desk, store):
    submitted = desk.training.submit(question(desk))
    run = trained(desk, submitted.job.id)
    report = desk.training.report(run.id)
    assert (run.kind, run.actor, run.synthetic, run.summary["partial"], run.summary["folds"]) == ("train", "ana", True, False, FOLDS)
    assert {*report} == {"verdict", "trials", "control", "scores", "baselines", "crossed", "parity"} and report["verdict"]["complete"] and report["parity"]["passed"]
    predictions, samples, folds, scores = (desk.training.table(run.id, name) for name in ("predictions", "samples", "folds", "scores"))
    assert sorted(predictions["fold"].unique()) == list(range(FOLDS)) == list(scores["fold"]) and {"value", "raw_value", "y"} <= {*predictions}
    assert set(predictions["sample"]) == set(folds[folds["part"] == "test"]["sample"]) and len(samples) > len(predictions) == scores["test"].sum()
    with store.read() as unit:
        rows = unit.trials.rows(job_id=run.job_id)
        assert [(row["kind"], row["strategy"], row["spec"]) for row in rows] == [("train", "forecast", run.manifest["spec_hash"])], "one question, in four folds"
        assert unit.trials.count(run.spec["datasets"], "forecast") == report["trials"]["count"] == 1 and unit.chunks.all(run.job_id) == []
    assert [event.kind for event in desk.trail.history(f"run:{run.id}")] == ["model_trained"]
    assert {"lightgbm", "scikit-learn", "numpy", "python"} <= set(run.manifest["libraries"]) and run.manifest["seed"] == 0 and run.manifest["data"] == run.spec["datasets"]
    assert "manifest.json" in desk.training.model(run.id) and desk.training.stale(run.id) == ""
    assert desk.training.submit(desk.training.request_of(run.id)) == replace(submitted, job=desk.jobs.get(run.job_id), new=False), "the same question is the same job"
    assert desk.training.progress(run.job_id).folds.equals(scores)
    assert desk.training.delete(run.id).id == run.id and len(desk.training.latest()) == 0
    with store.read() as unit:
        assert unit.trials.count(run.spec["datasets"], "forecast") == 1, "deleting a run does not lower the count"


@on_sqlite
def test_a_cancelled_training_keeps_its_folds_and_goes_on_to_the_same_bytes(system, desk, store, monkeypatch):
    dataset = bars(desk)
    whole = trained(desk, anew(desk, question(desk, dataset)))
    job_id = anew(desk, question(desk, dataset, register="mine"))
    with monkeypatch.context() as patched:
        interrupted(patched, 2, Cancelled)
        actors.run(job_id)
    stopped = desk.jobs.get(job_id)
    partial = desk.training.get(stopped.result["run"])
    assert (stopped.state, stopped.result["partial"], partial.summary["partial"], partial.summary["folds"], partial.summary["expected"]) == ("cancelled", True, True, 2, FOLDS)
    assert desk.training.partial(partial.id) and list(desk.training.table(partial.id, "scores")["fold"]) == [0, 1] and desk.training.report(partial.id) == {}
    both = desk.training.table(whole.id, "predictions")
    assert desk.training.table(partial.id, "predictions")["value"].tolist() == both[both["fold"] < 2]["value"].tolist()
    with store.unit() as unit:
        assert len(unit.trials.rows(job_id=job_id)) == 1, "a cancelled question counts, once a fold was shown"
        unit.chunks.forget(unit.now() + timedelta(days=30))
    assert {"training_stopped", "job_cancelled"} <= {event.kind for event in desk.trail.history(f"job:{job_id}")}
    with pytest.raises(BadRequest, match="is partial: 2 of 4 folds were fitted"):
        desk.models.register(partial.id, "mine")
    with pytest.raises(BadRequest, match="is partial, so it has no model"):
        desk.training.model(partial.id)
    with monkeypatch.context() as patched:
        begun = interrupted(patched, 99, Cancelled)
        run = trained(desk, desk.training.resume(partial.id).job.id)
    assert begun[:2] == [2, 3], "the first two folds are not fitted again"
    assert as_whole(run) == as_whole(whole) and run.id != partial.id and [each.id for each in desk.training.latest()].count(partial.id) == 0
    assert desk.jobs.get(job_id).result["model"] == "mine@1"
    with pytest.raises(BadRequest, match="is whole; there is nothing to resume"):
        desk.training.resume(run.id)


@on_sqlite
def test_a_worker_that_dies_costs_its_fold_and_two_that_go_on_make_the_same_bytes(system, desk, store, monkeypatch):
    dataset = bars(desk)
    whole = trained(desk, anew(desk, question(desk, dataset)))
    job_id = anew(desk, question(desk, dataset))
    with monkeypatch.context() as patched:
        interrupted(patched, 1, Fenced)     # an attempt that may write nothing more, as that of a worker that was killed
        actors.run(job_id)
    with store.unit() as unit:
        dead = unit.jobs.get(job_id)
        assert dead.state == "running" and unit.chunks.counts(job_id)[1] == 1
        assert unit.jobs.rescue(job_id, dead.epoch, dead.beats)
        for k in range(2):      # the job goes on with two workers
            unit.alive(Process(f"w{k}", "worker", "here", k, unit.now(), unit.now(), ""))
    with monkeypatch.context() as patched:
        begun, carried = interrupted(patched, 99, Fenced), []
        patched.setattr(Work, "carry", lambda work, share: carried.append(share))
        owner = Thread(target=actors.run, args=(job_id,))
        owner.start()
        helper = waiting(lambda: next(iter(desk.jobs.latest(("part",))), None), 60, "a helper was called")
        actors.run(helper.id)
        owner.join()
    run = desk.training.get(desk.jobs.get(job_id).result["run"])
    assert 0 not in begun[: FOLDS - 1] and as_whole(run) == as_whole(whole) and desk.jobs.get(helper.id).state == "done"
    assert carried == [pytest.approx((0.85 - 0.08) / (FOLDS + 3))], "of the fits, three of them the control's, the fold that was finished before is no part of the pace"
    with store.read() as unit:
        assert len(unit.trials.rows(job_id=job_id)) == 1


@on_sqlite
def test_folds_of_other_code_are_fitted_again(system, desk, store, monkeypatch):
    job_id = anew(desk, question(desk))
    with monkeypatch.context() as patched:
        interrupted(patched, 2, Cancelled)
        patched.setattr(job, "code_of", lambda kind: "older")
        actors.run(job_id)
    begun = interrupted(monkeypatch, 99, Cancelled)
    desk.jobs.retry(job_id)
    trained(desk, job_id)
    assert begun[:FOLDS] == list(range(FOLDS))


@on_sqlite
def test_finished_folds_and_the_loss_are_seen_while_it_runs(system, desk, store, monkeypatch):
    job_id = anew(desk, question(desk, params=dict(levels="0.1,0.5,0.9")))
    seen, fit = [], job.fit_fold

    def fit_fold(listing, fold, requested, watch, **named):
        if fold.number == 2:
            actors.Heartbeat._beat(beat)
            seen.append(desk.training.progress(job_id))
        for k in range(300):        # as a learner speaks that is fitted in rounds
            watch(k / 300, Loss(1.0 - k / 300, "q_0.1" if k < 100 else "q_0.5"))
        return fit(listing, fold, requested, watch, **named)

    monkeypatch.setattr(job, "fit_fold", fit_fold)
    with store.unit() as unit:
        work = Work(store, system.settings, unit.jobs.claim(job_id, "test", unit.now()))
    beat = actors.Heartbeat(work)
    actors.attempt(work)(work)
    progress = seen[0]
    assert (progress.state, progress.expected, list(progress.folds["fold"])) == ("running", FOLDS, [0, 1]) and {"crps", "coverage", "test"} <= {*progress.folds}
    assert set(progress.live["fold"]) == {1} and 2 <= len(progress.live) <= 201 and progress.live["share"].is_monotonic_increasing and progress.live["loss"].iloc[-1] < progress.live["loss"].iloc[0]
    assert list(dict.fromkeys(progress.live["of"]))[:2] == ["q_0.1", "q_0.5"] and "fits" in progress.note


@on_sqlite
def test_what_cannot_be_requested_is_stated_in_a_sentence(system, desk):
    request = question(desk)
    for changed, sentence in (
        (dict(target="fake"), "the target fake is of signals, and no strategy is given"), (dict(strategy="breakout"), "the target return is of bars, and a strategy is given"),
        (dict(learner="linaer"), "did you mean 'linear'"), (dict(target="retrun"), "did you mean 'return'"), (dict(scheme="cpvc"), "did you mean 'cpcv'"), (dict(seed=-1), "seed is -1"),
        (dict(learner="fakeout"), "the learner fakeout learns .*fake.* and not return"), (dict(register="a@b"), "the name of a model is 'a@b'"), (dict(params=dict(l3=1)), "l3"), (dict(columns=()), "no feature is chosen"),
    ):  # fmt: skip
        with pytest.raises(BadRequest, match=sentence):
            desk.training.submit(replace(request, **changed))
    job_id = desk.training.submit(replace(request, scheme_params=dict(train=4_000))).job.id
    actors.run(job_id)
    assert desk.jobs.get(job_id).error["fault"] == "request" and "4,000" in desk.jobs.get(job_id).error["sentence"]
    assert desk.training.progress(job_id).folds.empty and "job_failed" in {event.kind for event in desk.trail.history(f"job:{job_id}")}



@on_sqlite
def test_states_of_a_regime_run_are_columns_and_regimes_by_rules_are_named_as_features(system, desk, store, monkeypatch):
    dataset = bars(desk)
    requested = FeatureRequest([dataset], "H1", START, END, ())
    walked = desk.regimes.submit(requested, dict(kind="mixture", states="2", train=600, step=1_500, restarts=1), ["log_atr_share(14)"]).job
    ruled = desk.regimes.submit_rules(requested, ["volatility_regime"]).job
    for submitted in (walked, ruled):
        actors.run(submitted.id)
    run, by_rule = (desk.jobs.get(submitted.id).result["run"] for submitted in (walked, ruled))
    with pytest.raises(BadRequest, match="is by rules, which are features: name volatility_regime"):
        desk.training.submit(question(desk, dataset, regimes=[by_rule]))
    result = trained(desk, desk.training.submit(question(desk, dataset, regimes=[run])).job.id)
    manifest = json.loads(desk.training.model(result.id)["manifest.json"])
    assert manifest["columns"][-2:] == ["regime_state_1", "regime_state_2"] and manifest["question"]["data"][0]["regimes"]["train"] == 600
    assert desk.training.request_of(result.id).regimes == [run]
    work = SimpleNamespace(store=store, settings=system.settings, job=SimpleNamespace(id="none"))
    stored = training_request.read(result.spec, work).inputs[0].extra       # type: ignore[arg-type]
    frame, fault = result.spec["regimes"][0]["frame"], store.frames.fault
    monkeypatch.setattr(store.frames, "fault", lambda name: "gone" if name == frame else fault(name))
    again = training_request.read(result.spec, work).inputs[0].extra        # type: ignore[arg-type]
    assert all(np.array_equal(stored[name].values, again[name].values, equal_nan=True) for name in stored), "walked anew where the run is gone"
