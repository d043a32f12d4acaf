"""The page of training in each of its states, on a workspace of its own; nothing is trained for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.app import training_runs as created
from tests.app.test_compliance import buttons, written
from tests.app.test_pages import captions, dataset, draw, warnings
from worker.desk import Desk, TrainingRequest
from worker.store.registering import register

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)


def request(data: str, **more: Any) -> TrainingRequest:
    requested = TrainingRequest([data], "M15", START, END, ["rsi(14)", "sma(9)"], "fakeout", "fake", strategy="breakout", scheme_params=dict(train=40, validation=5, calibration=10, test=15))
    return replace(requested, **more)


def stored(desk: Desk, data: str, report: dict[str, Any] | None, frames: dict[str, pd.DataFrame], **more: Any) -> str:
    """A run of training, as its job would have stored it."""
    store = desk.jobs._context.store
    spec = desk.training.spec(request(data, **more))
    job = desk.training.submit(request(data, **more)).job
    summary = dict(partial=report is None, folds=3, expected=7, report=report or {}, question=None, model={}, tables=[], files={}, samples=dict(count=2_000, warm_up=214, unlabelled={"stop_through": 10}, dropped=["vix"], uniqueness=0.6))
    with store.unit() as unit:
        return unit.runs.add(
            kind="train", job_id=job.id, title=job.title, spec=spec, manifest=dict(code="0" * 64, libraries=dict(lightgbm="4.7.0"), gate=dict(columns=["a", "b"], pipeline=True)), summary=summary,
            frames={name: store.frames.put(frame) for name, frame in frames.items()}, actor="ana", created_at=unit.now(),
        )  # fmt: skip


def whole(desk: Desk, data: str, scheme: str = "walk_forward", state: str = "amber", report: dict[str, Any] | None = None, **more: Any) -> str:
    frames = dict(samples=created.samples(), folds=created.folds(scheme), predictions=created.predictions(scheme), scores=created.progress().folds)
    return stored(desk, data, report or created.report(scheme, state), frames, scheme=scheme, scheme_params=dict(groups=6, tested=2) if scheme == "cpcv" else request(data).scheme_params, **more)


def sentences(desk: Desk, **query: str) -> str:
    test = draw("training", desk, **query)
    assert not test.exception, [error.message for error in test.exception]
    return written(test)


def test_without_data_it_says_what_is_needed_and_has_one_action(desk):
    test = draw("training", desk)
    assert not test.exception and "No data yet" in written(test) and buttons(test) == ["Import a file"]
    for view, words, action in (("result", "No training yet", "Train a model"), ("compare", "Nothing to compare yet", "Train a model"), ("models", "No model yet", "Train a model"), ("drift", "No model to watch", "Train a model")):
        test = draw("training", desk, view=view)
        assert words in written(test) and buttons(test) == [action], view


def test_the_form_draws_the_parameter_classes_and_submits_one_job(desk):
    data = dataset(desk, "EURUSD", 1)
    test = draw("training", desk, data=data)
    numbers, choices = {field.label: field for field in test.number_input}, {box.label: box for box in test.selectbox}
    declared = [*desk.training.schemes()["walk_forward"], *desk.training.learners("fake")["fakeout"].params, *desk.backtests.params("breakout"), *desk.training.options()]
    assert not test.exception and choices["Target"].options == [name for name, target in desk.training.targets().items() if target.on == "signals"]
    assert (numbers["Train (days)"].value, numbers["Train (days)"].min, numbers["Embargo, hours"].value) == (1, 1, 24.0), "windows of a day of data; all else as declared"
    assert len([param for param in declared if param.type in (int, float) and not param.choices]) <= len(numbers), "a field for each number"
    assert "the windows are longer than the" in captions(test)
    train = numbers["Train (days)"].value
    test.multiselect[1].set_value(["rsi(14)"])
    next(button for button in test.button if button.label == "Train").click()
    test.run()
    jobs = desk.jobs.latest(("train",))
    assert [job.spec["columns"] for job in jobs] == [["rsi(14)"]] and jobs[0].spec["target"] == "fake" and jobs[0].spec["strategy"] == "breakout"
    assert jobs[0].spec["scheme_params"]["train"] == train and test.query_params["job"] == jobs[0].id


def test_a_verdict_comes_before_the_leakage_and_both_before_any_figure(desk):
    data = dataset(desk, "EURUSD", 1)
    run = whole(desk, data)
    test = draw("training", desk, view="result", run=run)
    text = written(test)
    assert not test.exception and ":yellow-badge[:material/warning: Not proven] The filter helps, but the strategy still loses: mean \u22120.14 R against \u22120.21 R" in text
    assert "2 columns and the fitted pipeline, computed again at cuts of the data, do not change" in text and "With permuted labels the ROC AUC is 0.503" in text
    metrics = {metric.label: metric.value for metric in test.metric}
    assert metrics["ROC AUC"] == "0.557" and metrics["Trials counted"] == "15" and metrics["DSR"] == "0.020" and metrics["Mean R, filtered"] == "\u22120.140\u202fR"
    assert metrics["Gain over linear"] == "+0.25\u202f%", "0.0006 of 0.2407: the hardest baseline"
    assert "6 folds: 12 samples purged and 6 embargoed" in text and "older version" in text and "Train again" in buttons(test)


def test_a_red_run_says_so_and_cpcv_has_a_fan_and_no_equity(desk):
    data = dataset(desk, "EURUSD", 1)
    assert ":red-badge[:material/error: Not to be believed]" in sentences(desk, view="result", run=whole(desk, data, state="red"))
    text = sentences(desk, view="result", run=whole(desk, data, "cpcv", seed=1))
    assert "5 paths end between \u2212300.0 R and +60.0 R, median \u2212120.0 R. Paths show spread" in text and "15 folds: 90 samples purged and 40 embargoed" in text
    assert "With and without the filter" not in text


def test_quantiles_have_levels_and_coverage(desk):
    data = dataset(desk, "EURUSD", 1)
    run = whole(desk, data, report=created.quantile_report(), target="return", learner="quantiles", strategy="")
    test = draw("training", desk, view="result", run=run)
    metrics = {metric.label: metric.value for metric in test.metric}
    assert not test.exception and metrics["Coverage"] == "80.01\u202f%" and metrics["Crossed"] == "0.12\u202f%" and "Mean R, filtered" not in metrics


def test_a_partial_run_keeps_its_folds_and_offers_to_resume(desk):
    data = dataset(desk, "EURUSD", 1)
    run = stored(desk, data, None, dict(predictions=created.predictions(), scores=created.progress().folds))
    test = draw("training", desk, view="result", run=run)
    assert not test.exception and "Cancelled after 3 of 7 folds." in written(test) and "partial" in written(test) and "never promoted" in written(test)
    assert "Resume" in buttons(test) and "Register…" not in buttons(test) and list(test.dataframe[0].value["fold"]) == [1, 2, 3]


def test_jobs_are_shown_while_they_run_and_after_they_failed_or_were_cancelled(desk):
    data = dataset(desk, "EURUSD", 1)
    job = desk.training.submit(request(data)).job
    test = draw("training", desk, job=job.id)
    assert not test.exception and "Cancel" in buttons(test) and "No fold is finished yet." in captions(test)
    desk.jobs.cancel(job.id)
    test = draw("training", desk, job=job.id)
    assert "was cancelled" in written(test) and "nothing is kept" in written(test) and "Run again" in buttons(test)
    store = desk.jobs._context.store
    other = desk.training.submit(request(data, seed=2)).job
    with store.unit() as unit:
        claimed = unit.jobs.claim(other.id, "w", unit.now())
        unit.jobs.end(other.id, claimed.epoch, "failed", unit.now(), error=dict(fault="input", sentence="the column leak(1) changes at 2014-03-07 10:05 UTC by 0.5; remove it"))
    test = draw("training", desk, job=other.id)
    assert any("The column leak\\(1\\) changes at" in error.value for error in test.error) and "Try again" in buttons(test)


def test_runs_are_compared_after_what_was_requested_differently(desk):
    data = dataset(desk, "EURUSD", 1)
    first, second = whole(desk, data), whole(desk, data, seed=7)
    test = draw("training", desk, view="compare", runs=f"{first},{second}")
    settings, scores = test.dataframe[0].value, test.dataframe[1].value
    assert not test.exception and "Changed settings" in written(test)
    assert settings.set_index("setting").loc["seed"].tolist() == ["0", "7"] and list(scores["run"]) == [first, second] and "Gains over baselines, Brier score" in written(test)


def test_what_the_address_names_and_is_not_there_is_a_warning(desk):
    dataset(desk, "EURUSD", 1)
    for query, sentence in ((dict(view="zzzz"), "There is no view zzzz."), (dict(job="zzzz"), "There is no job zzzz."), (dict(run="zzzz"), "There is no run zzzz."), (dict(view="result", run="zzzz"), "There is no run zzzz.")):
        test = draw("training", desk, **query)
        assert any(text.startswith(sentence) for text in warnings(test)) and not test.exception, query


def registered(desk: Desk, run: str, name: str = "fake-breakout") -> str:
    """A version in the registry that was made of ``run``; its files are one small one."""
    store = desk.jobs._context.store
    with store.unit() as unit:
        return register(
            unit, name, run_id=run, question=dict(learner="fakeout", target="fake", scheme="walk_forward"), question_hash="0" * 64, files=store.blobs.put_all({"manifest.json": b"{}"}), frames={},
            manifest=dict(counted=True, gate=dict(columns=["a"], pipeline=True), seed=0, threads=1), report=created.report() | dict(parity=dict(passed=True, sentence="ONNX differs by 1e-7 at most.")), synthetic=False, actor="ana",
        ).title  # fmt: skip


def test_a_model_shows_its_gates_and_is_promoted_only_with_a_reason_where_evidence_is_weak(desk):
    title = registered(desk, whole(desk, dataset(desk, "EURUSD", 1)))
    test = draw("training", desk, view="models", model=title)
    assert not test.exception and "candidate" in written(test) and "Promotion needs a reason." in written(test)
    assert list(test.dataframe[0].value["model"]) == [title] and "Verify" in buttons(test)

    def script(desk, title):
        import streamlit as st

        from app.training import models

        st.session_state["page"] = "training"
        models.promote(desk, desk.models.get(title))

    dialog = AppTest.from_function(script, kwargs=dict(desk=desk, title=title), default_timeout=60).run()
    dialog.button[0].click().run()
    assert any("is weak" in error.value for error in dialog.error) and desk.models.get(title).stage.stage == "candidate"
    dialog.text_area[0].set_value("the only filter that we have")
    dialog.button[0].click().run()
    assert desk.models.get(title).stage.stage == "production"
    test = draw("training", desk, view="models", model=title)
    assert "weak evidence" in written(test) and any("the only filter that we have" in text for text in warnings(test)) and "Promote…" not in buttons(test)


def checked(desk: Desk, title: str, state: str) -> str:
    """A check of drift, as its job would have stored it."""
    store = desk.jobs._context.store
    columns = pd.DataFrame([dict(model=title, instrument="EURUSD", column=name, reference=900, recent=500, effective=60.0, psi=psi, level="none", ks=psi / 2, p=0.2, q=0.3, state="alarm" if psi > 0.25 else "calm", reason="") for name, psi in (("rsi(14)", 0.02), ("sma(9)", 0.61))])
    facts = dict(model=title, id="m", state=state, sentence="Drift: column sma(9) has PSI 0.61." if state == "alarm" else "No drift.", alarms=["Column sma(9) has PSI 0.61."] if state == "alarm" else [], bars=dict(EURUSD=500), samples=120, labelled=110, coverage=[], brier=[dict(output="p", count=110, effective=90.0, brier=0.241, expected=0.239, z=0.4, state="calm", reason="")], expected_brier=0.238, learnt_brier=0.2401, until="2024-01-01T12:00:00Z")
    with store.unit() as unit:
        return unit.runs.add(kind="watch_models", job_id="j", title="Watch", spec={}, manifest={}, summary=dict(models=[facts], alarms=int(state == "alarm")), frames=dict(columns=store.frames.put(columns)), actor="ana", created_at=unit.now())


def test_drift_is_stated_with_its_column_and_an_alarm_offers_retraining(desk):
    title = registered(desk, whole(desk, dataset(desk, "EURUSD", 1)))
    assert "Not checked yet" in sentences(desk, view="drift", model=title)
    checked(desk, title, "calm")
    test = draw("training", desk, view="drift", model=title)
    assert not test.exception and "No drift" in written(test) and "Retrain…" not in buttons(test)
    checked(desk, title, "alarm")
    test = draw("training", desk, view="drift", model=title)
    metrics = {metric.label: metric.value for metric in test.metric}
    assert not test.exception and "Drift: column sma(9) has PSI 0.61." in written(test) and "Retrain…" in buttons(test)
    assert metrics["New bars"] == "500" and metrics["Brier score, p"] == "0.2410" and list(test.dataframe[0].value["name"]) == ["sma(9)", "rsi(14)"] and len(test.dataframe[1].value) == 2


def test_an_explanation_has_importance_curves_and_one_sample(desk):
    run = whole(desk, dataset(desk, "EURUSD", 1))
    store = desk.jobs._context.store
    test = draw("training", desk, view="result", run=run)
    assert "Explanation" in [tab.label for tab in test.tabs]
    with store.unit() as unit:
        frames = {name: store.frames.put(frame) for name, frame in created.explanation().items()}
        unit.runs.add(kind="explain", job_id="j", title="Explain", spec=dict(run=run), manifest={}, summary=dict(loss="log_loss", fold=6, folds=7, samples=3_000, output="p", score="log-odds of p", middle=0.5, contributions=True, no_contributions=""), frames=frames, actor="ana", created_at=unit.now())

    def script(desk, run):
        from app.training import explain

        explain.view(desk, desk.training.get(run))

    drawn = AppTest.from_function(script, kwargs=dict(desk=desk, run=run), default_timeout=60).run()
    assert not drawn.exception and "1 column of 2 matter in every fold" in captions(drawn)
    assert drawn.selectbox[0].options == ["sma(9)", "rsi(14)"] and drawn.selectbox[2].options[0].startswith("2015-01-05 00:00 · EURUSD")


def test_a_cancelled_job_leads_to_its_partial_run_and_resumes_it(desk):
    data = dataset(desk, "EURUSD", 1)
    run = stored(desk, data, None, dict(predictions=created.predictions(), scores=created.progress().folds))
    job = desk.jobs.get(desk.training.get(run).job_id)
    desk.jobs.cancel(job.id)
    test = draw("training", desk, job=job.id)
    assert not test.exception and "Open the partial result" in buttons(test) and {"Resume", "Run again"} & {*buttons(test)}
    next(button for button in test.button if button.label in ("Resume", "Run again")).click().run()
    assert desk.jobs.get(job.id).state == "queued", "the same job goes on; its finished folds are not fitted again"


def test_policies_are_requested_on_a_walk_forward_of_signals_and_compared_with_all_signals_and_the_filter(desk):
    data = dataset(desk, "EURUSD", 1)
    run, spread = whole(desk, data), whole(desk, data, "cpcv")

    def script(desk, run):
        from app.training import policies

        policies.view(desk, desk.training.get(run))

    def drawn(name: str) -> AppTest:
        test = AppTest.from_function(script, kwargs=dict(desk=desk, run=name), default_timeout=60).run()
        assert not test.exception
        return test

    assert "trades the tests one after the other" in captions(drawn(spread))
    test = drawn(run)
    assert "No policies yet" in written(test)
    next(button for button in test.button if button.label == "Fit policies").click().run()
    job = desk.policies.job(run)
    assert job is not None and job.spec["grid"]["sizes"] == "0.5,1" and {*job.spec["policies"]} == {"heuristic", "learned"}
    desk.jobs.cancel(job.id)
    row = dict(signals=60, reward=-0.0002, trades=40, net_return=-0.03, max_drawdown=0.05, sharpe=-0.4, expectancy_r=-0.1, profit_factor=0.9, win_rate=0.4)
    table = pd.DataFrame([row | dict(policy="all signals", taken=60), row | dict(policy="learned", taken=1, reward=0.0001)])
    choices = pd.DataFrame(dict(policy="learned", action=[0] * 59 + [1], r=[0.0] * 59 + [1.5], sample=range(60)))
    store = desk.jobs._context.store
    with store.unit() as unit:
        frames = dict(table=store.frames.put(table), choices=store.frames.put(choices))
        unit.runs.add(kind="policies", job_id="j", title="Policies", spec=job.spec, manifest={}, summary=dict(policies=table.to_dict("records"), fitted={}, grid=job.spec["grid"], actions=["skip", "size 1, stop 1, own target"]), frames=frames, actor="ana", created_at=unit.now())
    test = drawn(run)
    assert list(test.dataframe[0].value["policy"]) == ["all signals", "learned"] and list(test.dataframe[1].value["action"]) == ["skip", "size 1, stop 1, own target"]
    assert "60 tested signals, 1.0" in written(test)
