"""A model filters a backtest: by its walk-forward up to its last label, by itself after it, and never by what it was trained on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.backtest import study
from domain.strategies.base import make
from tests.worker.dying import dying
from tests.worker.training_jobs import START, anew, question, trained
from worker import actors
from worker.cli import app
from worker.desk import BacktestRequest, FeatureRequest, Refused

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
LEARNT = datetime(2024, 5, 1, tzinfo=UTC)           # the model learns from bars before it, and trades two months more
REQUEST = dict(columns=["sma(9)", "rsi(14)"], learner="linear", target="win", target_params={}, strategy="breakout", strategy_params=dict(lookback=10), scheme_params=dict(train=50, validation=5, calibration=15, test=20, embargo=4))


@pytest.fixture
def model(system, desk, database, tmp_path, monkeypatch):
    """A candidate ``picky`` that takes the best half; its run, and the bars of six months as a file."""
    for name, value in dict(STORAGE_HOME=tmp_path, DATABASE_URL=database, APP_USER="ana", EXAMPLE="false").items():
        monkeypatch.setenv(f"TIDEMARK_{name}", str(value))
    job = desk.data.generate("regimes", {}, "EURUSD", "H1", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC), 3).job
    actors.run(job.id)
    dataset = desk.data.get(desk.jobs.get(job.id).result["dataset"])
    run = trained(desk, anew(desk, question(desk, dataset.id, **REQUEST, options=dict(filter="share", share=0.5), register="picky")))
    bars = desk.data._context.store.frames.get(dataset.frame)
    bars.assign(ts=bars["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))[["ts", "open", "high", "low", "close"]].to_csv(tmp_path / "bars.csv", index=False)
    return run, bars, tmp_path


def backtest(folder, *options: str):
    return CliRunner().invoke(app, ["backtest", "--bars", str(folder / "bars.csv"), "--instrument", "EURUSD", "--timeframe", "H1", "--out", str(folder / "out"), *options], catch_exceptions=False)


def walk_forward_predictions_decide_up_to_the_last_label_and_the_model_after_it(model, desk):
    run, bars, folder = model
    done = backtest(folder, "--model", "picky", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads((folder / "out" / "report.json").read_text())
    samples, predictions = desk.training.table(run.id, "samples"), desk.training.table(run.id, "predictions")
    last = samples["end"].max()
    decided, _ = study.decided(study.Series(*_series(bars)), make("breakout", dict(lookback=10)), [study.Series(*_series(bars))])
    starts = pd.DatetimeIndex(decided["ts"]) + pd.Timedelta(hours=1)
    used = report["model"]["used"]
    assert report["model"]["model"] == "picky@1" and pd.Timestamp(report["model"]["until"]) == last < pd.Timestamp(LEARNT)
    assert used["walk-forward"] == dict(signals=len(predictions), taken=int(predictions["taken"].sum())) and 0 < predictions["taken"].sum() < len(predictions)
    assert used["model"]["signals"] == int((starts > last).sum()) > used["model"]["taken"] > 0
    assert used["none"]["taken"] == 0 and sum(source["signals"] for source in used.values()) == len(starts)
    allowed = set(predictions[predictions["taken"]]["start"])
    traded = pd.to_datetime(pd.read_csv(folder / "out" / "trades.csv")["entry_ts"], utc=True)
    early = traded[traded <= last]
    assert len(early) and {entry for entry in early if entry not in allowed} == set(), "what the folds did not take, and what came before them, is not traded"
    assert report["manifest"]["spec"]["model"] == dict(name="picky", version=1, hash=desk.models.get("picky").digest)
    assert "signals were decided by its walk-forward" in backtest(folder, "--model", "picky@1").stdout


def breakouts_are_left_to_the_model_by_their_own_filter(model, desk):
    """fake_filter model: what the model takes of all breakouts, and nothing without one."""
    run, bars, folder = model
    assert backtest(folder, "--model", "picky").exit_code == 0
    taken = (folder / "out" / "trades.csv").read_bytes()
    by_model = dict(lookback=10, fake_filter="model")
    assert backtest(folder, "--model", "picky", "--strategy", "breakout", "--params", json.dumps(by_model)).exit_code == 0
    assert (folder / "out" / "trades.csv").read_bytes() == taken
    request = BacktestRequest("breakout", by_model, desk.training.request_of(run.id).datasets, "H1", bars["ts"].iloc[0].to_pydatetime(), datetime(2024, 7, 1, tzinfo=UTC), {})
    with pytest.raises(Refused, match="breakout leaves its signals to a model, and no model is named for the run"):
        desk.backtests.submit(request)
    assert desk.backtests.spec(replace(request, model="picky"))["params"]["fake_filter"] == "model"


def _series(bars):
    from domain.market import instrument
    from domain.market.timeframe import Timeframe

    return instrument("EURUSD"), Timeframe.named("H1"), bars.assign(ts=bars["ts"].dt.as_unit("ns"))


def what_does_not_fit_is_refused_in_a_sentence(model, desk, store):
    _, _, folder = model
    for options, sentence in (
        (("--model", "pikcy"), "no model named 'pikcy'; did you mean 'picky'"), (("--model", "picky", "--strategy", "simple_ma"), "was trained on signals of breakout, and simple_ma is traded"),
        (("--model", "picky", "--strategy", "breakout", "--params", '{"lookback": 11}'), "with other parameters"), (("--model", "picky", "--instrument", "GBPUSD"), "trained on EURUSD H1, and GBPUSD H1 is traded"),
    ):  # fmt: skip
        refused = CliRunner().invoke(app, ["backtest", "--bars", str(folder / "bars.csv"), "--instrument", "EURUSD", "--timeframe", "H1", "--out", str(folder / "no"), *options])
        assert sentence in str(refused.exception), options
    name = desk.models.get("picky").files["pipeline.json"]
    with store.blobs._fs.open(f"{store.blobs._root}/{name[:2]}/{name}", "ab") as file:
        file.write(b" ")
    refused = CliRunner().invoke(app, ["backtest", "--bars", str(folder / "bars.csv"), "--instrument", "EURUSD", "--timeframe", "H1", "--out", str(folder / "no"), "--model", "picky"])
    assert "The file pipeline.json of model picky@1 was altered since it was written" in str(refused.exception)
    assert "model_refused" in {event.kind for event in desk.trail.history(f"model:{desk.models.get('picky').id}")}


def a_session_asks_the_model_bar_by_bar(model, desk, monkeypatch):
    """Up to its last label by the walk-forward, after it by itself; killed in the middle and taken up; the plan names the version by its hash."""
    _, _, folder = model
    words = ["--instrument", "EURUSD", "--timeframe", "H1", "--model", "picky", "--out"]
    monkeypatch.setattr("worker.sessions.runner.BATCH", 0.02)
    with dying(monkeypatch, "dead", 2400):
        CliRunner().invoke(app, ["paper", "start", "--session", "dead", "--replay", str(folder / "bars.csv"), *words, str(folder / "dead")], catch_exceptions=False)
    assert CliRunner().invoke(app, ["paper", "resume", "dead", "--out", str(folder / "dead")], catch_exceptions=False).exit_code == 0
    assert backtest(folder, "--model", "picky").exit_code == 0
    taped = CliRunner().invoke(app, ["backtest", "--bars", str(folder / "dead" / "tape.csv"), "--model", "picky@1", "--out", str(folder / "taped")], catch_exceptions=False)
    assert taped.exit_code == 0
    for other in ("out", "taped"):
        for name in ("trades.csv", "fills.csv", "equity.csv"):
            assert (folder / "dead" / name).read_bytes() == (folder / other / name).read_bytes(), (other, name)
    decisions = pd.read_csv(folder / "dead" / "decisions.csv")
    assert (decisions["reason"] == "model").sum() > 20 < (decisions["verdict"] == "placed").sum()
    assert desk.paper.get("dead").plan["model"] == dict(name="picky", version=1, hash=desk.models.get("picky").digest)
    assert "is its backtest:" in CliRunner().invoke(app, ["paper", "consistency", "dead"], catch_exceptions=False).stdout


def a_stored_backtest_names_the_version_and_says_how_much_of_each(model, desk):
    run, bars, _ = model
    dataset = desk.training.request_of(run.id).datasets
    request = BacktestRequest("breakout", dict(lookback=10), dataset, "H1", bars["ts"].iloc[0].to_pydatetime(), datetime(2024, 7, 1, tzinfo=UTC), {}, model="picky")
    submitted = desk.backtests.submit(request)
    actors.run(submitted.job.id)
    stored = desk.backtests.get(desk.jobs.get(submitted.job.id).result["run"])
    assert stored.spec["model"] == stored.manifest["spec"]["model"] == dict(name="picky", version=1, hash=desk.models.get("picky").digest)
    assert stored.summary["model"]["used"]["walk-forward"]["signals"] == len(desk.training.table(run.id, "predictions")) and "filtered by picky@1" in stored.title
    assert desk.backtests.request_of(stored.id).model == "picky@1"
    desk.models.register(run.id, "picky")
    assert desk.backtests.submit(request).new, "another version is another question"
    with pytest.raises(Refused, match="picky@2 was trained on signals of breakout, and simple_ma is traded"):
        desk.backtests.submit(replace(request, strategy="simple_ma", params={}))
    with pytest.raises(Refused, match="leave picky out of a stress test"):
        desk.sweeps.submit_stress(request)
    assert {"Learner", "Strategy", "Seed"} <= {fact.what for fact in desk.stories.of(f"run:{run.id}").facts} and "Model" in {fact.what for fact in desk.stories.of(f"run:{stored.id}").facts}


def a_scan_takes_the_chance_of_the_fold_that_had_not_seen_the_signal(model, desk):
    """In the terminal, at the close of a bar that breakout decides on; without the model the chance is (wins + 1)/(n + 2)."""
    run, _, folder = model
    known = desk.training.table(run.id, "predictions").iloc[-1]
    words = ["scan", "--bars", str(folder / "bars.csv"), "--instrument", "EURUSD", "--timeframe", "H1", "--strategy", "breakout", "--params", json.dumps(dict(breakout=dict(lookback=10))), "--to", known["start"].isoformat(), "--out", str(folder / "scan")]
    verdicts = []
    for more in ([], ["--model", "picky"]):
        done = CliRunner().invoke(app, [*words, *more], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        verdicts.append(pd.read_csv(folder / "scan" / "verdicts.csv").iloc[0])
    alone, judged = verdicts
    assert alone["p_source"] == "trades" and alone["p"] == pytest.approx((alone["wins"] + 1) / (alone["trades"] + 2), rel=1e-12)
    assert judged["p_source"] == "classifier" and judged["p"] == pytest.approx(known["p"], rel=1e-12) and judged["p"] != alone["p"]
    assert judged["q_star"] - alone["q_star"] == pytest.approx((judged["p"] - alone["p"]) * (alone["mean_win"] + alone["mean_loss"]), rel=1e-9)


def policies_are_fitted_to_its_folds_and_the_next_version_keeps_them(model, desk, store):
    """Nothing is fitted again: all signals as they are, the filter and each policy on the tests of the stored run."""
    run, _, folder = model
    grid = dict(sizes="1", stops="1", targets="0,2", halves=False)
    submitted = desk.policies.submit(run.id, grid, "heuristic")
    assert not desk.policies.submit(run.id, grid, "heuristic").new and desk.policies.job(run.id).id == submitted.job.id
    actors.run(submitted.job.id)
    assert desk.jobs.get(submitted.job.id).state == "done", desk.jobs.get(submitted.job.id).error
    listing, predictions = desk.policies.of(run.id), desk.training.table(run.id, "predictions")
    rows = {row["policy"]: row for row in listing.summary["policies"]}
    assert [*rows] == ["all signals", "filter", "heuristic"] and rows["all signals"]["signals"] == rows["all signals"]["taken"] == len(predictions) and rows["filter"]["taken"] == predictions["taken"].sum()
    choices = desk.policies.table(listing.id, "choices")
    assert list(choices["sample"]) == list(predictions["sample"]) and choices["p"].tolist() == predictions["p"].tolist() and listing.summary["actions"] == ["skip", "size 1, stop 1, own target", "size 1, stop 1, target 2 R"]
    version = desk.models.register(run.id, "picky")
    kept = json.loads(desk.models.export(version.title)["policies.json"])
    assert kept["policies"] == listing.summary["policies"] and isinstance(kept["policies"][0]["reward"], float) and desk.models.verify(version.title).passed
    done = CliRunner().invoke(app, ["policy", "of", run.id, "--policy", "heuristic", "--grid", json.dumps(grid), "--out", str(folder / "policies")], catch_exceptions=False)
    assert done.exit_code == 0 and json.loads((folder / "policies" / "policies.json").read_text()) == kept, done.output
    with pytest.raises(Refused, match="no policy named 'nope'"):
        desk.policies.submit(run.id, grid, "nope")
    desk.models.retire(version.title, "")


def test_a_model_filters_a_backtest(model, desk, store, monkeypatch):
    """One training for all of it, for that is what takes the time."""
    a_scan_takes_the_chance_of_the_fold_that_had_not_seen_the_signal(model, desk)
    walk_forward_predictions_decide_up_to_the_last_label_and_the_model_after_it(model, desk)
    breakouts_are_left_to_the_model_by_their_own_filter(model, desk)
    a_session_asks_the_model_bar_by_bar(model, desk, monkeypatch)
    a_stored_backtest_names_the_version_and_says_how_much_of_each(model, desk)
    desk.models.retire("picky@2", "")
    policies_are_fitted_to_its_folds_and_the_next_version_keeps_them(model, desk, store)
    what_does_not_fit_is_refused_in_a_sentence(model, desk, store)


@pytest.mark.faults
def test_a_session_of_a_model_that_learnt_from_regimes_is_its_backtest(system, desk, database, tmp_path, monkeypatch):
    for name, value in dict(STORAGE_HOME=tmp_path, DATABASE_URL=database, APP_USER="ana", EXAMPLE="false").items():
        monkeypatch.setenv(f"TIDEMARK_{name}", str(value))
    job = desk.data.generate("regimes", {}, "EURUSD", "H1", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC), 3).job
    actors.run(job.id)
    dataset = desk.data.get(desk.jobs.get(job.id).result["dataset"])
    trained(desk, anew(desk, question(desk, dataset.id, **REQUEST, regimes=[walked(desk, dataset.id)], options=dict(filter="share", share=0.5), register="picky")))
    bars = desk.data._context.store.frames.get(dataset.frame)
    bars.assign(ts=bars["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))[["ts", "open", "high", "low", "close"]].to_csv(tmp_path / "bars.csv", index=False)
    monkeypatch.setattr("worker.sessions.runner.BATCH", 0.02)
    with dying(monkeypatch, "dead", 2400):
        CliRunner().invoke(app, ["paper", "start", "--session", "dead", "--replay", str(tmp_path / "bars.csv"), "--instrument", "EURUSD", "--timeframe", "H1", "--model", "picky", "--out", str(tmp_path / "dead")], catch_exceptions=False)
    assert CliRunner().invoke(app, ["paper", "resume", "dead", "--out", str(tmp_path / "dead")], catch_exceptions=False).exit_code == 0
    assert backtest(tmp_path, "--model", "picky").exit_code == 0
    for name in ("trades.csv", "fills.csv", "equity.csv"):
        assert (tmp_path / "dead" / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name
    assert len(pd.read_csv(tmp_path / "out" / "trades.csv")) > 20 < (pd.read_csv(tmp_path / "dead" / "decisions.csv")["reason"] == "model").sum()


def walked(desk, dataset: str) -> str:
    """A run of learned regimes on the bars that the model learns from."""
    submitted = desk.regimes.submit(FeatureRequest([dataset], "H1", START, LEARNT, ()), dict(kind="mixture", states="2", train=600, step=500, restarts=1), ["log_atr_share(14)"]).job
    actors.run(submitted.id)
    return desk.jobs.get(submitted.id).result["run"]
