"""``tidemark tune`` and ``tidemark policy`` on files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest, TidemarkError
from domain.market.instrument import instruments
from domain.market.timeframe import Timeframe
from domain.params import build
from domain.venues.synthetic import MODELS, generate
from worker.cli import app

SCHEME = '{"train": 30, "validation": 15, "calibration": 25, "test": 20}'
REQUEST = ("--instrument", "EURUSD", "--learner", "linear", "--target", "win", "--strategy", "breakout", "--strategy-params", '{"lookback": 6}', "--columns", "rsi(14)", "--scheme-params", SCHEME)


@pytest.fixture(scope="module")
def bars(tmp_path_factory):
    path = tmp_path_factory.mktemp("tune") / "bars.csv"
    generate(build(MODELS["regimes"], {}), instruments()["EURUSD"], Timeframe.named("H1"), datetime(2023, 1, 2, tzinfo=UTC), datetime(2023, 5, 20, tzinfo=UTC), 3).to_csv(path, index=False)
    return path


def run(*words: str) -> dict:
    done = CliRunner().invoke(app, [*map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_tune_writes_its_trials_what_is_best_and_its_heat_maps(bars, tmp_path):
    space = '{"l2": {"low": 0.01, "high": 100, "log": true}, "half_life": [20, 200]}'
    output = run("tune", "--bars", bars, *REQUEST, "--space", space, "--trials", "7", "--out", tmp_path)
    trials, best = pd.read_csv(tmp_path / "trials.csv"), json.loads((tmp_path / "best.json").read_text())
    chosen = trials[trials["chosen"]].iloc[0]
    assert (output["trials"], len(trials), output["folds"]) == (7, 7, 3) and output["params"] == best and best["l2"] == pytest.approx(chosen["l2"]) and best["half_life"] == pytest.approx(chosen["half_life"])
    assert chosen["nearest"] == trials["nearest"].min() == pytest.approx(output["nearest"]) and 0.01 <= best["l2"] <= 100
    assert len(pd.read_csv(tmp_path / "heat_l2_half_life.csv")) >= 1
    with pytest.raises(BadRequest, match="either --bars FILE or --data"):
        CliRunner().invoke(app, ["tune", *REQUEST, "--space", space], catch_exceptions=False)


@pytest.fixture(scope="module")
def fitted(bars, tmp_path_factory):
    out = tmp_path_factory.mktemp("policy")
    grid = '{"sizes": "0.5,1", "stops": "1,2", "targets": "0,2"}'
    return out, run("policy", "fit", "--bars", bars, *REQUEST, "--grid", grid, "--policy-params", '{"learned": {"leaf": 20}}', "--out", out)


def test_policy_fit_compares_all_signals_the_filter_and_each_policy(fitted):
    out, facts = fitted
    assert [row["policy"] for row in facts["policies"]] == ["all signals", "filter", "heuristic", "learned"] and json.loads((out / "policies.json").read_text()) == facts
    choices = pd.read_parquet(out / "choices.parquet")
    assert facts["actions"][0] == "skip" and choices["action"].between(0, len(facts["actions"]) - 1).all() and set(choices["policy"]) == {"heuristic", "learned"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--target", "r"), "the target r gives none; use win, above, fake, barrier"), (("--target", "return"), "the target return gives none"), (("--policy", "lerned"), "did you mean 'learned'"),
        (("--policy-params", '{"learned": 3}'), "the parameters of learned are 3"), (("--policy-params", '{"other": {}}'), "name other"), (("--grid", '{"sizes": "0"}'), "above 0"),
    ],
)  # fmt: skip
def test_policy_fit_refuses_before_it_fits(words, sentence, tmp_path):
    with pytest.raises(TidemarkError, match=sentence):
        CliRunner().invoke(app, ["policy", "fit", "--bars", "nowhere.csv", *REQUEST, "--out", str(tmp_path), *words], catch_exceptions=False)


def test_policy_value_is_refused_without_propensities_or_with_too_few_trades(fitted, tmp_path):
    out, _ = fitted
    choices = pd.read_parquet(out / "choices.parquet")
    last = choices[(choices["policy"] == "heuristic") & (choices["fold"] == choices["fold"].max())].dropna(subset="r")
    log = last[["action", "r", "p", "volatility", "regime"]].assign(side=1)
    path = tmp_path / "log.csv"

    def judge(table) -> dict:
        table.to_csv(path, index=False)
        return run("policy", "value", "--policies", out, "--policy", "heuristic", "--log", path)

    with pytest.raises(BadRequest, match="has no propensities"):
        judge(log)
    with pytest.raises(BadRequest, match="effective trades of 20, and 50 are needed"):
        judge(log.head(20).assign(propensity=1.0))
    with pytest.raises(BadRequest, match="names an action that the policy does not know"):
        judge(log.assign(propensity=1.0, action=99))
    with pytest.raises(BadRequest, match="has no column 'p'"):
        judge(log.drop(columns="p").assign(propensity=1.0))
    whole = pd.concat([log] * 3, ignore_index=True).assign(propensity=1.0)
    estimate = judge(whole)
    assert estimate["rows"] == len(whole) and estimate["effective"] == pytest.approx(len(whole)) and estimate["low"] < estimate["value"] < estimate["high"]
    assert np.isclose(estimate["value"], estimate["logged"]), "the policy that traded earned what it earned"
