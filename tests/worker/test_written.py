"""Strategies that users write: in the terminal from files, and in the library, chosen by name wherever a strategy is."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from domain.errors import BadRequest, UnknownName
from domain.expressions.tokens import BadExpression
from domain.strategies.definition import definition_of
from tests.domain.expressions.test_expressions import BARS
from tests.worker.test_sweeps import question
from worker.cli import app
from worker.terminal.here import finished
from worker.terminal.strategy_file import chosen

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
DIP = dict(name="dip", type="mean reversion", timeframe="M5", pairs=["EURUSD"], long="close < lowest(lag(low, 1), 4)", exit_long="close > mean(close, 5)", stop_atr=1.5)


def terminal(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def files(tmp_path):
    """Bars of no instrument, and a strategy."""
    BARS.assign(ts=BARS["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(tmp_path / "bars.csv", index=False)
    (tmp_path / "dip.json").write_text(json.dumps(DIP))
    return tmp_path


def test_a_condition_is_checked_and_tried(files):
    read = json.loads(terminal("strategies", "check", "--expression", "(volume>2)or close > mean(close,5)@M15", "--json"))
    assert read["condition"] == "volume > 2 or close > mean(close, 5)@M15" and read["columns"] == ["mean(close, 5)@M15"]
    assert read["reading"] == "volume is above 2, or close is above the mean of close over the last 5 bars on closed M15 bars"
    terminal("strategies", "try", "--expression", "volume > 2", "--bars", str(files / "bars.csv"), "--out", str(files / "out.csv"))
    lines = (files / "out.csv").read_text().splitlines()
    expected = ["" if pd.isna(volume) else str(int(volume > 2)) for volume in BARS["volume"]]
    assert lines[0] == "ts,value" and [line.split(",")[1] for line in lines[1:]] == expected and lines[1].startswith("2024-07-10T10:00:00Z,")
    with pytest.raises(BadExpression, match="column 1: no column, feature or function named 'volme'; did you mean 'volume'"):
        terminal("strategies", "try", "--expression", "volme > 2", "--bars", "none.csv", "--out", "none.csv")


@pytest.mark.parametrize(
    "changed, sentence",
    [
        (dict(long="", exit_long=""), "long and short are both empty"), (dict(long="close >"), "dip.json: long, column 8: the end stands"), (dict(lnog="close > 1"), "no field of dip.json named 'lnog'; did you mean 'long'"),
        (dict(long="close@M1 > 1"), "long, column 7: M5 bars cannot become M1"), (dict(stop_atr=0), "stop_atr is 0.0 ATR; it must be between 0.1 and 100.0"), (dict(timeframe="M7"), "no timeframe named 'M7'"),
        (dict(pairs=7), "pairs is 7; it must be a list of instruments"), (dict(name="\n"), "name is ''"), (dict(long=3), "long is 3; it must be a text"),
    ],
)  # fmt: skip
def test_a_file_that_defines_no_strategy_is_refused(files, changed, sentence):
    (files / "dip.json").write_text(json.dumps(DIP | changed))
    with pytest.raises(BadRequest) as error:
        chosen("", "{}", files / "dip.json")
    assert sentence in str(error.value)


@on_sqlite
def test_the_library_has_versions_that_stay(desk, store):
    first = desk.strategies.save(DIP, "first")
    second = desk.strategies.save(json.dumps(DIP | dict(stop_atr=2)), "wider")
    assert (first.title, second.title, second.definition.params["stop_atr"], second.definition.params["reward_to_risk"]) == ("dip@1", "dip@2", 2.0, 2.0)
    assert second.about == "Buys when close is below the lowest (low as of 1 bar ago) of the last 4 bars. Closes a long when close is above the mean of close over the last 5 bars."
    with pytest.raises(BadRequest, match="is the same as its version 2"):
        desk.strategies.save(DIP | dict(stop_atr=2.0), "again")
    with pytest.raises(BadRequest, match="breakout is the name of a built-in strategy"):
        desk.strategies.save(DIP | dict(name="breakout"), "mine")
    assert json.loads(desk.strategies.download("dip", 1)) == dict(short="", exit_short="", reward_to_risk=2.0, drawdown_tolerance=5.0) | DIP
    desk.strategies.retire("dip", "no edge")
    assert desk.strategies.all() == [] and desk.strategies.get("dip@1").title == "dip@1" and len(desk.strategies.versions("dip")) == 3
    with pytest.raises(UnknownName, match="no strategy named 'dip'"):
        desk.strategies.get("dip")
    with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE written_strategies SET text = ''"))


@on_sqlite
def test_a_saved_strategy_is_chosen_by_its_name(desk, system):
    saved = desk.strategies.save(DIP, "first")
    request = question(desk)
    named = replace(request, strategy="dip", params={})
    as_written = replace(request, strategy="written", params=saved.definition.params)
    assert "dip" in desk.backtests.strategies() and {param.name: param.default for param in desk.backtests.params("dip")}["stop_atr"] == 1.5
    assert desk.backtests.spec(named) == desk.backtests.spec(as_written) and desk.backtests.spec(named)["strategy"] == "written"
    assert desk.backtests.submit(named).job.title.startswith("dip · EURUSD")
    assert desk.sweeps.submit_sweep(named, {"stop_atr": [1.0, 2.0]}).job.spec["grid"] == {"stop_atr": [1.0, 2.0]}
    assert desk.backtests.faults("dip", dict(long="clsoe > 1")) == {"long": "long, column 1: no column, feature or function named 'clsoe'; did you mean 'close'?"}
    desk.strategies.save(DIP | dict(stop_atr=3), "wider")
    assert desk.backtests.spec(named)["params"]["stop_atr"] == 3.0 and desk.backtests.spec(replace(named, strategy="dip@1"))["params"]["stop_atr"] == 1.5
    with pytest.raises(UnknownName, match="no strategy named 'dpi'; did you mean 'dip'"):
        desk.backtests.spec(replace(named, strategy="dpi"))


@on_sqlite
def test_a_preview_counts_what_the_conditions_say(desk, system):
    request = question(desk)
    submitted = desk.strategies.submit_preview(DIP | dict(timeframe=""), request.datasets[0])
    summary = desk.strategies.preview(finished(desk, submitted, quiet=True).result["run"]).summary
    counts = summary["conditions"]["long"]
    assert sum(counts.values()) == summary["bars"] and counts["unknown"] <= 4 and counts["true"] > summary["longs"] > 10 and summary["shorts"] == 0
    assert summary["latest"][-1]["stop"] < summary["latest"][-1]["close"]


def test_a_file_is_a_strategy_and_its_parameters(files):
    name, params = chosen("", '{"stop_atr": 2}', files / "dip.json")
    assert name == "written" and json.loads(params) == definition_of((files / "dip.json").read_text(), "dip").params | dict(stop_atr=2)
    with pytest.raises(BadRequest, match="give either --strategy NAME or --strategy-file FILE"):
        chosen("breakout", "{}", files / "dip.json")
