"""``tidemark backtest`` with forecasts: from a file, and from a model of the workspace that was trained here."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.outside.forecasts import QUANTILES
from tests.worker.training_jobs import anew, question, trained
from worker import actors
from worker.cli import app
from worker.desk import BacktestRequest, Refused

LEVELS = "0.05,0.1,0.25,0.5,0.75,0.9,0.95"


def backtest(folder, *options: str):
    return CliRunner().invoke(app, ["backtest", "--bars", str(folder / "bars.csv"), "--instrument", "EURUSD", "--timeframe", "H1", "--no-report", "--out", str(folder / "out"), *options])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A hundred hours that wander, and quantiles at every second of them."""
    folder, rng = tmp_path_factory.mktemp("forecasts"), np.random.default_rng(2)
    close = np.round(1.1 * np.exp(np.cumsum(rng.normal(0, 1e-3, 100))), 5)
    ts = pd.date_range("2024-03-04", periods=100, freq="h", tz="UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    pd.DataFrame(dict(ts=ts, open=close, high=close + 0.001, low=close - 0.001, close=close)).to_csv(folder / "bars.csv", index=False)
    middle = 2e-3 * np.sin(np.arange(50))
    pd.DataFrame({"ts": ts[::2], **{name: middle + step for name, step in zip(QUANTILES, (-4e-3, -3e-3, -1e-3, 0.0, 1e-3, 3e-3, 4e-3), strict=True)}}).to_csv(folder / "forecasts.csv", index=False)
    return folder


def test_a_file_of_forecasts_is_traded_and_named(files):
    done = backtest(files, "--strategy", "moderate", "--forecasts", str(files / "forecasts.csv"), "--params", '{"horizon": 5}')
    assert done.exit_code == 0, done.output
    report, fills = json.loads((files / "out" / "report.json").read_text()), pd.read_csv(files / "out" / "fills.csv")
    assert report["model"]["sentence"] == "forecasts at 50 bars." and report["model"]["model"] == "forecasts.csv"
    assert report["manifest"]["spec"]["outside"]["forecasts"] == dict(file=report["model"]["file"])
    assert {"market", "target_1"} <= set(fills["reason"]) and "forecasts at 50 bars" in done.output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--strategy", "moderate"), "moderate decides on the quantiles q05 … q95 of a forecast; name a model"),
        (("--strategy", "breakout", "--forecasts", "{forecasts}"), "--forecasts are for strategies that decide on them, aggressive, conservative, moderate; breakout does not"),
        (("--strategy", "moderate", "--forecasts", "{forecasts}", "--model", "x"), "--model and --forecasts both give forecasts"),
        (("--strategy", "moderate", "--forecasts", "nowhere.csv"), "the forecasts nowhere.csv cannot be read: No such file"),
        (("--strategy", "moderate", "--forecasts", "{bars}"), "the forecasts have no columns q05, q10"),
    ],
    ids=("none", "no reader", "two", "no file", "no forecasts"),
)  # fmt: skip
def test_what_does_not_fit_is_stated(files, options, sentence):
    given = [option.format(forecasts=files / "forecasts.csv", bars=files / "bars.csv") for option in options]
    assert sentence in str(backtest(files, *given).exception)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_model_forecasts_by_its_walk_forward_and_then_by_itself(system, desk, database, tmp_path, monkeypatch):
    """One training for all of it. Up to the model's last label only the folds' forecasts are there; what came before them is left out."""
    for name, value in dict(STORAGE_HOME=tmp_path, DATABASE_URL=database, APP_USER="ana", EXAMPLE="false").items():
        monkeypatch.setenv(f"TIDEMARK_{name}", str(value))
    job = desk.data.generate("regimes", {}, "EURUSD", "H1", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC), 3).job
    actors.run(job.id)
    dataset = desk.data.get(desk.jobs.get(job.id).result["dataset"])
    run = trained(desk, anew(desk, question(desk, dataset.id, learner="climatology", params=dict(levels=LEVELS), register="wide")))
    bars = desk.data._context.store.frames.get(dataset.frame)
    bars.assign(ts=bars["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))[["ts", "open", "high", "low", "close"]].to_csv(tmp_path / "bars.csv", index=False)
    samples, predictions = desk.training.table(run.id, "samples"), desk.training.table(run.id, "predictions")
    done = backtest(tmp_path, "--strategy", "aggressive", "--model", "wide", "--params", '{"costs": 0}')
    assert done.exit_code == 0, done.exception
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["manifest"]["spec"]["strategy"]["params"]["horizon"] == 4, "the model's own"
    assert report["manifest"]["spec"]["model"] == dict(name="wide", version=1, hash=desk.models.get("wide").digest)
    last, every = samples["end"].max(), bars["ts"].iloc[16::4] + pd.Timedelta(hours=1)       # rsi(14) is warm at bar 14
    known, left_out = len(predictions) + int((every > last).sum()), int((every <= last).sum()) - len(predictions)
    assert report["model"]["sentence"] == f"forecasts at {known:,} bars; {left_out:,} left out, which the model may have been fitted to."
    entries = pd.to_datetime(pd.read_csv(tmp_path / "out" / "trades.csv")["entry_ts"], utc=True)
    early = set(entries[entries <= last])
    assert early and early <= set(predictions["start"]), "decided only where a fold had forecast"
    paper = CliRunner().invoke(app, ["paper", "start", "--session", "wide", "--replay", str(tmp_path / "bars.csv"), "--instrument", "EURUSD", "--timeframe", "H1", "--strategy", "aggressive", "--model", "wide", "--params", '{"costs": 0}', "--out", str(tmp_path / "paper")])
    assert paper.exit_code == 0, paper.exception
    for name in ("trades.csv", "fills.csv", "equity.csv"):
        assert (tmp_path / "paper" / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), "a session of it is its backtest"
    assert "set horizon to 4" in str(backtest(tmp_path, "--strategy", "aggressive", "--model", "wide", "--params", '{"horizon": 5}').exception)
    request = BacktestRequest("aggressive", dict(costs=0.0, horizon=4), [dataset.id], "H1", bars["ts"].iloc[0].to_pydatetime(), datetime(2024, 7, 1, tzinfo=UTC), {}, model="wide")
    submitted = desk.backtests.submit(request)
    actors.run(submitted.job.id)
    done = desk.jobs.get(submitted.job.id)
    assert done.state == "done", done.error
    stored = desk.backtests.get(done.result["run"])
    assert stored.summary["metrics"]["trades"] > 5 and stored.summary["model"]["sentence"].startswith("forecasts at")
    sweep = desk.sweeps.submit_sweep(request, {"costs": [0.0, 50.0]}).job
    actors.run(sweep.id)
    done = desk.jobs.get(sweep.id)
    assert done.state == "done", done.error
    trades = desk.sweeps.table(done.result["run"], "number", 2).sort_values("costs")["trades"].tolist()
    assert trades == [stored.summary["metrics"]["trades"], 0], "as the backtest of the same parameters"
    assert [model.title for model in desk.models.of_strategy("aggressive")] == ["wide@1"] and not desk.models.of_strategy("breakout")
    assert desk.models.params_with(desk.models.get("wide"), "aggressive", "H1") == dict(horizon=4)
    for changed, sentence in ((dict(model=""), "name a model of them"), (dict(params={}), "wide@1 forecasts 4 bars ahead, and horizon is 12 bars")):
        with pytest.raises(Refused, match=sentence):
            desk.backtests.submit(BacktestRequest(**{**request.__dict__, **changed}))
