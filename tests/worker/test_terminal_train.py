"""``tidemark train`` and ``tidemark predict``: from a file of bars to a report and a model, and from those to outputs."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import TidemarkError
from domain.features import FEATURES
from domain.market import instrument
from domain.market.timeframe import Timeframe
from domain.models import LEARNERS
from domain.venues.synthetic import RegimeSwitching, generate
from worker.cli import app

BARS, PREDICTED = 1_700, ("q_0.1", "q_0.5", "q_0.9")
SCHEME = '{"train": 40, "validation": 5, "calibration": 15, "test": 15, "embargo": 5}'
FORECAST = ["--learner", "linear", "--params", '{"levels": "0.1,0.5,0.9"}', "--target", "return", "--target-params", '{"horizon": 3, "every": 2}', "--columns", "rsi(14)", "atr_share(14)", "vpin(50)", "--scheme-params", SCHEME, "--seed", "1"]
FILTER = ["--learner", "fakeout", "--params", '{"trees": 10, "min_leaf": 5}', "--target", "fake", "--strategy", "breakout", "--strategy-params", '{"lookback": 5}', "--columns", "rsi(14)", "atr_share(14)", "--scheme-params", SCHEME]
MODULE = '''
from dataclasses import dataclass

import numpy as np

from domain.features import feature
from domain.models import learner
from domain.params import param


@feature(unit="ratio", source="the next close")
def train_next(close):
    return np.append(close[1:], close[-1])


class Batch:
    """Compares a row with the rows beside it, which come later."""
    outputs, bars = ("value",), 1

    def predict(self, rows):
        return (rows - np.nanmean(rows, axis=0)).sum(axis=1, keepdims=True).astype(float)

    def files(self):
        return {"nothing.txt": b"nothing"}

    def onnx(self):
        return None


@learner("train_batch", targets=("return",))
@dataclass(frozen=True)
class BatchLearner:
    unused: float = param(0.0, help="nothing")

    def fit(self, train, validation, seed, watch):
        return Batch()


def load(files):
    return Batch()
'''


def run(*words: object) -> int:
    """The exit status."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(result.exception, TidemarkError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    frame = generate(RegimeSwitching(), instrument("EURUSD"), Timeframe.named("H1"), datetime(2024, 1, 8, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC), seed=1).iloc[:BARS]
    for name, part in (("bars", frame), ("short", frame.iloc[:1_501])):
        part.drop(columns="volume").assign(ts=part["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(folder / f"{name}.csv", index=False)
    (folder / "mine.py").write_text(MODULE)
    return folder


def on(folder: Path, name: str = "bars") -> list[object]:
    return ["--bars", folder / f"{name}.csv", "--instrument", "EURUSD", "--timeframe", "H1"]


@pytest.fixture(scope="module")
def forecast(folder) -> Path:
    assert run("train", *on(folder), *FORECAST, "--out", folder / "forecast") == 0
    return folder / "forecast"


def test_files_hold_what_they_promise(forecast):
    samples, folds, predictions = (pd.read_parquet(forecast / f"{name}.parquet") for name in ("samples", "folds", "predictions"))
    assert [*samples] == ["sample", "instrument", "start", "end", "y", "r", "uniqueness"] and samples["sample"].tolist() == list(range(len(samples)))
    assert [*predictions] == ["fold", "path", "sample", "start", "end", "y", *PREDICTED, *(f"raw_{name}" for name in PREDICTED)]
    assert set(folds["part"]) == {"train", "validation", "calibration", "test", "purged", "embargoed"}
    tested = folds[folds["part"] == "test"]
    assert tested[["fold", "sample"]].to_numpy().tolist() == predictions[["fold", "sample"]].to_numpy().tolist()
    joined = predictions.merge(samples, on="sample")
    assert (joined["y_x"] == joined["y_y"]).all() and (joined["end_x"] == joined["end_y"]).all()
    report = json.loads((forecast / "report.json").read_text())
    assert {"verdict", "trials", "control", "scores", "baselines", "crossed"} <= set(report) and report["control"]["state"] == "green"
    assert {row["name"] for row in report["baselines"]} == {"climatology", "no_change"}
    manifest = json.loads((forecast / "model" / "manifest.json").read_text())
    assert manifest["columns"] == ["rsi(14)", "atr_share(14)"] and manifest["question"]["seed"] == 1     # vpin has no value without volume
    assert manifest["samples"]["dropped"] == ["vpin(50)"]


def test_the_same_again_gives_the_same_bytes(folder, forecast):
    assert run("train", *on(folder), *FORECAST, "--out", folder / "again") == 0
    for path in sorted(path for path in forecast.rglob("*") if path.is_file()):
        assert path.read_bytes() == (folder / "again" / path.relative_to(forecast)).read_bytes(), path.name


def test_later_bars_change_no_prediction_and_onnx_gives_the_same(folder, forecast):
    for name, engine in (("bars", "native"), ("short", "native"), ("short", "onnx")):
        assert run("predict", "--model", forecast / "model", *on(folder, name), "--out", folder / f"{name}_{engine}.parquet", "--engine", engine) == 0
    full, short, served = (pd.read_parquet(folder / f"{name}.parquet") for name in ("bars_native", "short_native", "short_onnx"))
    assert [*full] == ["start", *PREDICTED, "in_sample"] and len(full) > len(short) >= 700
    assert full.iloc[: len(short)].equals(short)
    assert short["start"].iloc[-1] == pd.read_csv(folder / "short.csv", parse_dates=["ts"])["ts"].iloc[-1] + pd.Timedelta("1h")  # the last bar has no label yet, and a row
    assert np.allclose(short[list(PREDICTED)], served[list(PREDICTED)], atol=1e-7) and full["in_sample"].iloc[0] and not full["in_sample"].iloc[-1]


def test_a_model_with_one_byte_changed_is_refused_by_name(folder, forecast):
    names = sorted(path.relative_to(forecast / "model").as_posix() for path in (forecast / "model").rglob("*") if path.is_file())
    assert {"manifest.json", "pipeline.json", "model.onnx", "learner/learner.json"} <= set(names)
    for name in names:
        shutil.copytree(forecast / "model", folder / "bad", dirs_exist_ok=True)
        content = bytearray((folder / "bad" / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / "bad" / name).write_bytes(bytes(content))
        with pytest.raises(TidemarkError, match=f"^{name} of the model was changed"):
            run("predict", "--model", folder / "bad", *on(folder), "--out", folder / "bad.csv")
    (folder / "bad" / "pipeline.json").unlink()
    with pytest.raises(TidemarkError, match=r"lacks its file pipeline\.json"):
        run("predict", "--model", folder / "bad", *on(folder), "--out", folder / "bad.csv")


def test_a_filter_of_signals_takes_some_and_shuffled_labels_teach_nothing(folder):
    assert run("train", *on(folder), *FILTER, "--shuffle-labels", "--out", folder / "filter") == 0
    report, predictions = json.loads((folder / "filter" / "report.json").read_text()), pd.read_parquet(folder / "filter" / "predictions.parquet")
    assert {"p", "raw_p", "r", "taken", "size"} <= set(predictions) and set(predictions["y"]) == {0.0, 1.0}
    assert report["trials"]["family"] == "breakout" and report["trials"]["counted"] is False
    assert run("predict", "--model", folder / "filter", *on(folder), "--out", folder / "signals.csv") == 0
    assert [*pd.read_csv(folder / "signals.csv")] == ["start", "p", "taken", "size", "in_sample"]


def test_a_leak_of_a_column_or_of_the_pipeline_stops_training_by_name(folder):
    features, learners = dict(FEATURES._things), dict(LEARNERS._things)
    columns = ["--columns", "rsi(14)", "--target", "return", "--scheme-params", SCHEME, "--out", folder / "leak"]
    try:
        with pytest.raises(TidemarkError, match=r"train_next has look-ahead bias: at bar \d+ \(2024-.* it moves by [\d.]+"):
            run("train", *on(folder), "--module", folder / "mine.py", "--learner", "linear", *columns, "--columns", "train_next")
        for registry, before in ((FEATURES, features), (LEARNERS, learners)):
            registry._things = dict(before)
        with pytest.raises(TidemarkError, match=r"value has look-ahead bias: at bar \d+ .* it moves by [\d.]+"):
            run("train", *on(folder), "--module", folder / "mine.py", "--learner", "train_batch", *columns)
    finally:
        FEATURES._things, LEARNERS._things = features, learners
    assert not (folder / "leak").exists()


@pytest.mark.parametrize("words, sentence", [
    (["--learner", "linaer", "--target", "return"], "no learner named 'linaer'; did you mean 'linear'?"),
    (["--learner", "linear", "--target", "win"], "the target win is of signals, and no strategy is given"),
    (["--learner", "linear", "--target", "return", "--strategy", "breakout"], "the target return is of bars, and signals are given"),
    (["--learner", "linear", "--target", "return", "--scheme-params", '{"train": 400}'], "one fold needs"),
    (["--learner", "linear", "--target", "return", "--params", '{"share": 2}'], "share is 2.0; it must be between 0.01 and 1.0"),
    (["--learner", "linear", "--target", "return", "--seed", "-1"], "seed is -1; it must be between 0 and"),
    (["--learner", "linear", "--target", "return", "--data", "EURUSD"], "give either --bars FILE or --data"),
    (["--learner", "linear", "--target", "return", "--target-params", '{"every": 200}', "--scheme-params", SCHEME], "it needs at least 50"),
])  # fmt: skip
def test_what_cannot_be_answered_is_refused_in_a_sentence(folder, words, sentence):
    import re

    with pytest.raises(TidemarkError, match=re.escape(sentence)):
        run("train", *on(folder), "--columns", "rsi(14)", *words, "--out", folder / "refused")
    assert not (folder / "refused").exists()


def test_options_of_what_is_fitted_around_come_from_a_file_too(folder):
    (folder / "options.toml").write_text('[training]\nconformal = "none"\n\n[costs]\nslippage = 0.2\n')
    words = ["train", *on(folder, "short"), *FORECAST[:-2], "--config", folder / "options.toml", "--out", folder / "options"]
    assert run(*words) == 0
    predictions = pd.read_parquet(folder / "options" / "predictions.parquet")
    assert np.array_equal(predictions["q_0.1"], np.sort(predictions[[f"raw_{name}" for name in PREDICTED]], axis=1)[:, 0])
    question = json.loads((folder / "options" / "model" / "manifest.json").read_text())["question"]
    assert question["fitting"]["conformal"] == "none" and question["rules"]["costs"]["slippage"] == "0.2"
    (folder / "options.toml").write_text('[training]\nconfromal = "none"\n')
    with pytest.raises(TidemarkError, match="did you mean 'conformal'"):
        run(*words)


def test_closed_trades_stand_for_signals(folder):
    bars = pd.read_csv(folder / "short.csv")
    opened = np.arange(50, 1_490, 9)
    trades = dict(instrument="EURUSD", side=np.where(opened % 2, "long", "short"), entry_ts=bars["ts"][opened].array, exit_ts=bars["ts"][opened + 3].array, stop_loss=bars["close"].to_numpy()[opened] * np.where(opened % 2, 0.99, 1.01))
    pd.DataFrame(trades | dict(r=np.random.default_rng(3).normal(size=len(opened)))).to_csv(folder / "trades.csv", index=False)
    words = ["--trades", folder / "trades.csv", "--learner", "prior", "--target", "win", "--columns", "rsi(14)", "--scheme-params", SCHEME]
    assert run("train", *on(folder, "short"), *words, "--out", folder / "of_trades") == 0
    samples = pd.read_parquet(folder / "of_trades" / "samples.parquet")
    assert len(samples) == len(opened) and (samples["y"] == (samples["r"] > 0)).all()
    assert run("predict", "--model", folder / "of_trades", *on(folder, "short"), *words[:2], "--out", folder / "of_trades.csv") == 0
    assert len(pd.read_csv(folder / "of_trades.csv")) == len(opened)


def test_a_red_verdict_is_status_1(folder, monkeypatch):
    """Its files are there all the same."""
    from domain.training import train

    table = pd.DataFrame(dict(sample=[0]))
    red = train.Trained(table, table, table, dict(verdict=dict(state="red", sentence="Something was learnt of permuted labels.", reasons=[])), {})
    monkeypatch.setattr(train, "train", lambda *request, **more: red)
    assert run("train", *on(folder, "short"), *FORECAST, "--out", folder / "red") == 1
    assert json.loads((folder / "red" / "report.json").read_text())["verdict"]["state"] == "red"


def test_threads_of_libraries_sleep_while_they_wait_unless_the_environment_says_otherwise(monkeypatch):
    from worker import cli

    monkeypatch.setattr("sys.argv", ["tidemark", "--help"])
    for before, after in (("ACTIVE", "ACTIVE"), ("", "PASSIVE")):
        monkeypatch.setenv("OMP_WAIT_POLICY", before)
        if not before:
            monkeypatch.delenv("OMP_WAIT_POLICY")
        with pytest.raises(SystemExit):
            cli.main()
        assert os.environ["OMP_WAIT_POLICY"] == after
