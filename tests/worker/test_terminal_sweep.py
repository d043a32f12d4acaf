"""Searches from the terminal, on the workspace's bars, worked on in this process."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.worker.test_sweeps import on_sqlite, question
from worker.cli import app
from worker.terminal.sweep import grid_of

REQUEST = ("--strategy", "breakout", "--json")
VARY = ("--vary", "lookback=10:30:10", "--vary", "stop_atr=1,2.5")


@pytest.fixture
def say(system, desk, database, tmp_path, monkeypatch):
    """Runs a verb on this test's workspace; the JSON it prints."""
    for name, value in dict(STORAGE_HOME=tmp_path, DATABASE_URL=database, APP_USER="ana", EXAMPLE="false").items():
        monkeypatch.setenv(f"TIDEMARK_{name}", str(value))
    dataset = question(desk).datasets[0]

    def run(verb: str, *rest: str) -> dict:
        done = CliRunner().invoke(app, [verb, "--data", dataset, *REQUEST, *rest], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


@on_sqlite
def test_a_sweep_says_the_best_and_writes_its_table(say, desk, tmp_path):
    output = say("sweep", *VARY, "--by", "net_return", "--most", "2", "--out", str(tmp_path / "out"))
    table = pd.read_csv(tmp_path / "out" / "table.csv")
    assert (output["combinations"], output["trials_on_this_data"], len(table), len(output["best"])) == (6, 6, 6, 2)
    assert output["best"][0]["net_return"] == pytest.approx(table["net_return"].max()) and desk.sweeps.get(output["run"]).kind == "sweep"


@on_sqlite
def test_walk_forward_stress_and_search_say_what_they_found(say, desk):
    walked = say("walk-forward", *VARY, "--in-sample", "60", "--out-of-sample", "30", "--objective", "net", "--fewest-trades", "5")
    stressed, searched = say("stress"), say("optimise", "--space", '{"lookback": [5, 60]}', "--trials", "12", "--fewest-trades", "5")
    assert len(walked["table"]) == walked["folds"] == 4 and stressed["scenarios"][0]["scenario"] == "base"
    assert searched["trials"] == 12 and 5 <= searched["best"][0]["lookback"] <= 60


@pytest.mark.parametrize("text, sentence", [("lookback", "write NAME="), ("lookback=1:2", "write NAME="), ("lookback=a:b:c", "must be numbers"), ("lookback=3:1:1", "must go upwards")])
def test_a_range_that_says_nothing_is_refused(text, sentence):
    with pytest.raises(BadRequest, match=sentence):
        grid_of([text])
