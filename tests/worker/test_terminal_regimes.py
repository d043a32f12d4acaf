"""``tidemark regimes`` from files to files, and ``tidemark runs split``."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from domain.features import Context
from domain.features.regimes import RegimeModel, fit, observations, walk_forward
from domain.market import instrument
from domain.market.timeframe import Timeframe
from tests.worker.test_regimes import backtest, dataset
from worker.cli import app
from worker.terminal import here

COLUMNS = ["log_volatility(24)", "straightness(24)"]
CONTEXT = Context(instrument("EURUSD"), Timeframe.named("H1"))
SMALL = ("--restarts", "1", "--seed", "4", "--observed", *COLUMNS)


@pytest.fixture(scope="module")
def bars(tmp_path_factory) -> tuple[str, pd.DataFrame]:
    """Two states by turns, in a file."""
    random = np.random.default_rng(11)
    moves = random.standard_normal(900) * np.where(np.arange(900) // 150 % 2, 0.002, 0.0004)
    close = 1.1 * np.exp(np.cumsum(moves))
    opens = np.append(1.1, close[:-1])
    read = pd.DataFrame(dict(ts=pd.date_range("2024-01-01", periods=900, freq="1h", tz="UTC").as_unit("ns"), open=opens, high=np.maximum(opens, close) + 1e-5, low=np.minimum(opens, close) - 1e-5, close=close))
    path = tmp_path_factory.mktemp("bars") / "eurusd.parquet"
    read.to_parquet(path, index=False)
    return str(path), read


def say(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_model_is_fitted_and_then_followed(bars, tmp_path):
    path, read = bars
    model, out = tmp_path / "model.json", tmp_path / "filtered.parquet"
    output = json.loads(say("regimes", "fit", "--bars", path, "--states", "2", "--out", str(model), "--json", *SMALL))
    seen = observations(read, CONTEXT, COLUMNS)
    expected = fit(seen, "hmm", 2, 4, 1)
    assert RegimeModel.from_json(model.read_text()) == expected and output["bic"] == expected.bic and [fact["state"] for fact in output["facts"]] == ["state 1", "state 2"]
    json.loads(say("regimes", "filter", "--model", str(model), "--bars", path, "--out", str(out), "--json"))
    table = pd.read_parquet(out)
    np.testing.assert_array_equal(table[["p_state_1", "p_state_2"]].to_numpy(), expected.filtered(seen))
    assert table["label"].tolist() == list(expected.labels(expected.filtered(seen))) and table["ts"].tolist() == read["ts"].tolist()
    wild = (np.arange(900) // 150 % 2 == 1)[24:]
    assert ((table["label"] == "state 2").to_numpy()[24:] == wild).mean() > 0.85, "it finds the states that are there"


def test_it_prints_for_people(bars, tmp_path):
    text = say("regimes", "fit", "--bars", bars[0], "--states", "0", "--kind", "mixture", "--out", str(tmp_path / "m.json"), *SMALL)
    assert "log likelihood" in text and "expected duration" in text and "accuracy" in text and text.count("\n2 ") + text.count("\n6 ") == 2, "the numbers of states that were tried"


def test_walking_forward_labels_only_what_comes_after_a_window(bars, tmp_path):
    path, read = bars
    out, model = tmp_path / "walked.csv", tmp_path / "last.json"
    output = json.loads(say("regimes", "walk-forward", "--bars", path, "--train", "400", "--step", "200", "--states", "2", "--out", str(out), "--model", str(model), "--json", *SMALL))
    walked = walk_forward(observations(read, CONTEXT, COLUMNS), 400, 200, "hmm", 2, 4, 1)
    table = pd.read_csv(out)
    np.testing.assert_allclose(table[["p_state_1", "p_state_2"]].to_numpy(), walked.probabilities, rtol=1e-9)
    assert table["label"].isna().sum() == 400 and output["models"] == 3 == len(output["refits"]) and RegimeModel.from_json(model.read_text()) == walked.refits[-1].model


@pytest.mark.parametrize(
    ("content", "sentence"),
    [('{"what": "tidemark bars 1"}', "a regime model says 'tidemark regimes 1'"), ("not json", "this regime model is not JSON"), ('{"what": "tidemark regimes 1"}', "lacks"), (None, "cannot be read"), (b"\xff\xfe\x00", "is not a text file")],
)
def test_a_wrong_model_file_is_refused_with_a_sentence(bars, tmp_path, content, sentence):
    path = tmp_path / "model.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadRequest, match=sentence) as refused:
        say("regimes", "filter", "--model", str(path), "--bars", bars[0], "--out", str(tmp_path / "out.parquet"))
    assert "model.json" in str(refused.value) and not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(("--states", "9"), "states is 9"), (("--kind", "hidden"), "kind of regime model"), (("--observed", "log_volatilty"), "did you mean"), (("--bars", "/nowhere.csv"), "there is no file")],
)
def test_what_cannot_be_fitted_is_refused(bars, tmp_path, words, sentence):
    with pytest.raises(BadRequest, match=sentence):
        say("regimes", "fit", "--bars", bars[0], "--out", str(tmp_path / "m.json"), *words)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_run_is_split_by_a_rule_that_is_applied_on_the_way(system, desk, monkeypatch, tmp_path):
    monkeypatch.setattr(here, "desk", lambda: desk)
    run = backtest(desk, dataset(desk))
    output = json.loads(say("runs", "split", run.id, "--by", "volatility", "--out", str(tmp_path / "out"), "--json"))
    assert sum(row["net"] for row in output["regimes"]) == pytest.approx(run.summary["metrics"]["net_profit"]) and {row["late"] for row in output["late"]} == {0, 1, 2, 5, 10, 20}
    assert pd.read_csv(tmp_path / "out" / "split.csv")["regime"].tolist() == [row["regime"] for row in output["regimes"]] and len(pd.read_csv(tmp_path / "out" / "late.csv")) == len(output["late"])
    by_id = desk.regimes.latest()[0].id
    assert json.loads(say("runs", "split", run.id, "--by", by_id, "--json"))["regimes"] == output["regimes"]
    assert "so many bars later" in say("runs", "split", run.id, "--by", "volatility+session")
    with pytest.raises(BadRequest, match="there is no run nosuch"):
        say("runs", "split", run.id, "--by", "nosuch")
