"""``tidemark scan`` on files: a stranger computes its verdicts again from what it writes."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.domain.scanner import by_hand
from tests.domain.scanner.markets import bars
from worker.cli import app

KEY = ["instrument", "strategy", "timeframe"]
PARAMS = json.dumps(dict(breakout=dict(lookback=2, quiet=0, target_r=1, break_even_r=0, max_bars=6)))
STRATEGIES = ("--strategy", "breakout", "--strategy", "simple_ma", "--params", PARAMS)


def invoke(*options: str):
    return CliRunner().invoke(app, ["scan", *options], catch_exceptions=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hourly bars of three instruments, two of them with the same moves; a position in a fourth."""
    folder = tmp_path_factory.mktemp("scan")
    for name, seed in (("EURUSD", 1), ("GBPUSD", 8), ("AUDUSD", 8)):
        table = bars(seed, drift=0.8)
        table.assign(ts=table["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(folder / f"{name}.csv", index=False)
    (folder / "positions.csv").write_text("instrument,side,lots,entry_price\nEURUSD,long,0.5,1.25\n")
    return folder


def files(folder):
    return [option for name in ("EURUSD", "GBPUSD", "AUDUSD") for option in ("--bars", f"{name}={folder / name}.csv")]


@pytest.fixture(scope="module")
def done(folder):
    result = invoke(*files(folder), *STRATEGIES, "--timeframe", "H1", "--timeframe", "H4", "--risk", "0.005", "--correlation-days", "10", "--out", str(folder / "out"))
    assert result.exit_code == 0, result.output
    return result.stdout, folder / "out"


def test_it_says_what_it_proposes_and_how_many_have_each_reason(done):
    text, _ = done
    assert text.startswith("12 combinations at 2024-01-21 20:00 UTC: 2 proposals.")
    assert "1     GBPUSD" in text and "correlation  1" in text
    assert "written" in text and "correlations.csv, scan.json, trades.csv, verdicts.csv" in text


def test_every_number_can_be_computed_again_from_the_files(done):
    _, out = done
    verdicts, trades, rho = (pd.read_csv(out / f"{name}.csv", keep_default_na=False, na_values=[""]) for name in ("verdicts", "trades", "correlations"))
    content = json.loads((out / "scan.json").read_text())
    equity = content["summary"]["equity"]
    assert len(verdicts) == 12 and set(content["definitions"]) >= {"q_star", "es95", "p", "at_risk"}
    for row in verdicts[verdicts["trades"] > 1].to_dict("records"):
        own = trades[(trades[KEY] == [row[name] for name in KEY]).all(axis=1)]
        r = own["r"].tolist()
        q = by_hand.q_star(r, row["spread_now"], own["spread_at_entry"].tolist(), row["stop_distance"])
        assert row["q_star"] == pytest.approx(q, abs=1e-12)
        assert len(r) < 40 or row["grade"] == by_hand.grade(q)
        if row["reason"] in ("proposal", "correlation"):
            assert row["at_risk"] == pytest.approx(row["lots"] * 100_000 * (row["entry"] - row["stop_loss"]), rel=1e-9)
            assert row["es95"] == pytest.approx(by_hand.es95(r, row["at_risk"], equity), rel=1e-9) and row["es95"] <= 10
    first, second = verdicts["instrument"][:2]
    assert verdicts["reason"][:2].tolist() == ["proposal", "proposal"]
    assert verdicts["correlation"][1] == pytest.approx(rho.set_index(["a", "b"]).loc[(second, first), "correlation"])
    refused = verdicts[verdicts["reason"] == "correlation"].iloc[0]
    assert (refused["instrument"], refused["correlated_with"]) == ("AUDUSD", "GBPUSD long (proposed)")


def test_json_has_the_verdicts_and_an_open_position_counts(folder):
    result = invoke(*files(folder), *STRATEGIES, "--risk", "0.005", "--correlation-days", "10", "--positions", str(folder / "positions.csv"), "--equity", "20000", "--json")
    content = json.loads(result.stdout)
    assert content["equity"] == 20_000 and content["combinations"] == 6
    reasons = {(row["instrument"], row["strategy"]): row["reason"] for row in content["verdicts"]}
    assert reasons[("EURUSD", "breakout")] == "correlation" and reasons[("GBPUSD", "breakout")] == "proposal"
    assert all(row["timeframe"] == "H1" for row in content["verdicts"])     # that of the bars, where none is named


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--strategy", "brakeout"], "no strategy named 'brakeout'; did you mean 'breakout'"),
        (["--strategy", "breakout", "--params", '{"simple_ma": {}}'], "--params names simple_ma, which is not scanned"),
        (["--strategy", "breakout", "--params", '{"breakout": 3}'], "--params of breakout are 3"),
        (["--strategy", "breakout", "--timeframe", "M5"], "no file of --bars has bars of M5 or shorter ones"),
        (["--strategy", "breakout", "--timeframe", "H1", "--timeframe", "H1"], "--timeframe gives H1 twice"),
        (["--strategy", "breakout", "--data", "1"], "--data is for the workspace's bars"),
        (["--strategy", "breakout", "--proposals", "4"], "proposals is 4 proposals; it must be between 1 and 3"),
        (["--strategy", "breakout", "--fewest", "300"], "at least 300 trades are required and 250 are looked at"),
        (["--strategy", "breakout", "--positions", "nowhere.csv"], "there is no file nowhere.csv"),
    ],
)
def test_what_cannot_be_scanned_is_a_sentence(folder, options, sentence):
    with pytest.raises(BadRequest, match=sentence):
        invoke(*files(folder)[:2], *options)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("instrument,side,lots\nEURUSD,long,1\n", "line 2: entry_price is missing"),
        ("instrument,side,lots,entry_price\nEURUSD,up,1,1.2\n", "write long or short and two numbers"),
        ("instrument,side,lots,entry_price\nEURUSD,long,-1,1.2\n", "give lots above 0"),
        ("instrument,side,lots,entry_price\nXAUUSD,long,1,2000\n", "XAUUSD has an open position and is not scanned"),
    ],
)
def test_a_bad_position_is_named(folder, tmp_path, rows, sentence):
    path = tmp_path / "held.csv"
    path.write_text(rows)
    with pytest.raises(BadRequest, match=sentence):
        invoke(*files(folder)[:2], "--strategy", "simple_ma", "--positions", str(path))
