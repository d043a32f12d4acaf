"""``tidemark compliance chance`` from files to its answer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from worker.cli import app

RUNNER = CliRunner()
COLUMNS = "trade_id tag instrument side lots entry_ts entry_price exit_ts exit_price stop_loss pnl_gross costs swap pnl r mae_r mfe_r bars_held exit_reason regime"


@pytest.fixture
def files(tmp_path):
    """Sixty weekdays of one trade each, up 1 R two days of three and down 1 R on the third, 500 a unit of R; and the equity of them."""
    days = pd.bdate_range("2024-01-02", periods=60, tz="UTC")
    r = np.where(np.arange(60) % 3 == 2, -1.0, 1.0)
    entry, leave = days + pd.Timedelta("9h"), days + pd.Timedelta("11h")
    frame = pd.DataFrame(
        dict(
            trade_id=np.arange(1, 61), tag="", instrument="EURUSD", side="long", lots=1.0, entry_ts=entry.strftime("%Y-%m-%dT%H:%M:%SZ"),
            entry_price=1.1, exit_ts=leave.strftime("%Y-%m-%dT%H:%M:%SZ"), exit_price=1.1, stop_loss=1.095, pnl_gross=500 * r, costs=0.0, swap=0.0,
            pnl=500 * r, r=r, mae_r=np.where(r > 0, 0.4, 1.0), mfe_r=np.where(r > 0, 1.0, 0.3), bars_held=2, exit_reason="", regime="",
        )
    )  # fmt: skip
    frame[COLUMNS.split()].to_csv(tmp_path / "trades.csv", index=False)
    ts = np.sort(np.concatenate([entry, leave]))
    money = 100_000 + np.repeat(np.cumsum(500 * r), 2) - np.where(np.arange(120) % 2 == 0, np.repeat(500 * r, 2), 0.0)
    curve = pd.DataFrame(
        dict(
            ts=pd.DatetimeIndex(ts).strftime("%Y-%m-%dT%H:%M:%SZ"),
            balance=money,
            equity=money,
            equity_low=money - 200.0,
        )
    )
    curve.to_csv(tmp_path / "equity.csv", index=False)
    return tmp_path


def answer(*arguments: object) -> dict:
    result = RUNNER.invoke(app, ["compliance", "chance", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def test_the_answer_has_every_part_and_is_the_same_for_the_same_seed(files):
    arguments = (
        "--preset",
        "ftmo-2-step",
        "--trades",
        files / "trades.csv",
        "--risk",
        "0.01",
        "--paths",
        500,
        "--seed",
        7,
        "--no-sizing",
    )
    first, again = answer(*arguments), answer(*arguments)
    assert first == again
    for name in ("passed", "failed", "open"):
        assert 0 <= first[name]["low"] <= first[name]["probability"] <= first[name]["high"] <= 1
    assert sum(first[name]["probability"] for name in ("passed", "failed", "open")) == pytest.approx(1.0)
    assert [row["rule"] for row in first["breaches"]] == ["daily_loss", "max_drawdown"]
    assert (first["horizon"], first["paths"], first["seed"], first["days"], first["risk"]) == (60, 500, 7, 60, 0.01)
    assert (
        first["block_days"] >= 1
        and first["days_to_target"]["q50_low"] <= first["days_to_target"]["q50"] <= first["days_to_target"]["q50_high"]
        and first["not_judged"] == []
        and first["notes"]
    )


def test_a_risk_may_be_written_in_percent_and_decides_the_chance(files):
    base = ("--preset", "ftmo-2-step", "--trades", files / "trades.csv", "--paths", 500, "--no-sizing")
    assert answer(*base, "--risk", "1%")["passed"] == answer(*base, "--risk", "0.01")["passed"]
    assert (
        answer(*base, "--risk", "0.1%")["passed"]["probability"]
        < answer(*base, "--risk", "1%")["passed"]["probability"]
    )


def test_without_a_risk_the_run_counts_as_it_traded(files):
    base = ("--preset", "ftmo-2-step", "--paths", 500, "--no-sizing", "--trades", files / "trades.csv")
    traded = answer(*base)
    assert traded["risk"] is None and traded["traded_risk"] == pytest.approx(0.005, rel=0.1)
    assert any("an account that began with 100,000.00" in note for note in traded["notes"])
    by_path = answer(*base, "--equity", files / "equity.csv")
    assert by_path["passed"]["probability"] == pytest.approx(traded["passed"]["probability"], abs=0.02)
    doubled = answer(*base, "--initial", 50_000)
    assert doubled["passed"]["probability"] > traded["passed"]["probability"]  # the same money of half the account


def test_the_sizing_curve_and_the_payouts_come_with_it(files):
    report = answer(
        "--preset",
        "ftmo-2-step",
        "--trades",
        files / "trades.csv",
        "--paths",
        200,
        "--payouts",
        "--fee",
        540,
        "--refund",
    )
    curve, best = report["sizing"]["curve"], report["sizing"]["best"]
    assert (
        best["risk"] == max(curve, key=lambda row: row["passed"])["risk"]
        and best["low"] <= best["risk"] <= best["high"]
    )
    assert report["payouts"]["phase"] == "funded" and report["payouts"]["payouts"]["expected"] > 0
    assert report["payouts"]["split"] == 0.8 and report["payouts"]["horizon"] == 250


def test_the_folder_holds_every_table(files):
    out = files / "out"
    result = RUNNER.invoke(
        app,
        [
            "compliance",
            "chance",
            "--preset",
            "topstep-50k",
            "--trades",
            str(files / "trades.csv"),
            "--initial",
            "100000",
            "--paths",
            "200",
            "--out",
            str(out),
        ],
    )
    assert result.exit_code == 0, result.exception
    assert sorted(path.name for path in out.iterdir()) == [
        "breaches.csv",
        "chance.json",
        "days.csv",
        "progress.csv",
        "sizing.csv",
    ]
    assert len(pd.read_csv(out / "progress.csv")) == 60 and len(pd.read_csv(out / "days.csv")) == 60
    assert json.loads((out / "chance.json").read_text())["preset"] == "topstep-50k"
    assert "overnight: not judged: needs the orders themselves" in result.stdout and "95 % interval" in result.stdout


def test_too_few_days_are_an_answer_and_no_error(files):
    few = pd.read_csv(files / "trades.csv").head(12)
    few.to_csv(files / "few.csv", index=False)
    report = answer("--preset", "ftmo-2-step", "--trades", files / "few.csv", "--risk", "0.01")
    assert report["passed"] is None and "needs at least 20 days" in report["sentence"] and "sizing" not in report


def test_trades_without_a_stop_have_no_sizing_curve(files):
    bare = pd.read_csv(files / "trades.csv").assign(r=np.nan, mae_r=np.nan, mfe_r=np.nan, stop_loss=np.nan)
    bare.to_csv(files / "bare.csv", index=False)
    report = answer("--preset", "ftmo-2-step", "--trades", files / "bare.csv", "--paths", 200)
    assert "sizing" not in report and any("60 of 60 trades have no R" in note for note in report["notes"])
    assert {row["rule"] for row in report["not_judged"]} == {"daily_loss", "max_drawdown"}
    assert all(row["sentence"].startswith("not judged: needs intraday lows") for row in report["not_judged"])


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--preset", "ftmo-2-stp"], "did you mean 'ftmo-2-step'"),
        ([], "give either --preset NAME or --rules FILE.toml"),
        (["--preset", "ftmo-2-step", "--risk", "1"], "write a share such as 0.01, or 1%"),
        (["--preset", "ftmo-2-step", "--risk", "much"], "the risk per trade is 'much'"),
        (["--preset", "ftmo-2-step", "--paths", "5"], "paths is 5 paths"),
        (["--preset", "ftmo-2-step", "--horizon", "0"], "horizon is 0"),
        (["--preset", "ftmo-2-step", "--initial", "-1"], "--initial is -1"),
        (["--preset", "ftmo-2-step", "--split", "80"], "split is 80"),
        (["--preset", "esma-retail"], "give its initial balance"),
        (["--preset", "ftmo-2-step", "--run", "abc"], "or --run ID"),
        (["--preset", "ftmo-2-step", "--allow-gaps"], "--allow-gaps goes with --equity"),
    ],
)
def test_bad_input_is_one_sentence(files, arguments, sentence):
    result = RUNNER.invoke(app, ["compliance", "chance", "--trades", str(files / "trades.csv"), *arguments])
    assert isinstance(result.exception, BadRequest) and sentence in str(result.exception)


@pytest.mark.parametrize(
    "column, value, sentence",
    [
        ("r", "x", "row 3 of the trades: r is 'x'"),
        ("mae_r", "-0.5", "mae_r -0.5; excursions are sizes"),
        ("pnl", "", "is closed and has no pnl"),
        ("exit_ts", "yesterday", "row 3 of the trades: exit_ts is 'yesterday'"),
        ("exit_ts", "9999-01-01T00:00:00Z", "from 1970 to 2099"),
        ("entry_ts", "1907-01-01T00:00:00Z", "from 1970 to 2099"),
    ],
)
def test_a_bad_cell_is_named_with_its_row(files, column, value, sentence):
    frame = pd.read_csv(files / "trades.csv", dtype=str)
    frame.loc[2, column] = value
    frame.to_csv(files / "bad.csv", index=False)
    result = RUNNER.invoke(app, ["compliance", "chance", "--preset", "ftmo-2-step", "--trades", str(files / "bad.csv")])
    assert isinstance(result.exception, BadRequest) and sentence in str(result.exception)


def test_a_gap_of_the_equity_is_refused_or_stated(files):
    ts = pd.date_range("2024-01-02", periods=400, freq="h", tz="UTC")
    ts = ts[(ts.day_of_week < 5) & ~((ts.day == 10) & (ts.hour < 23))]
    frame = pd.DataFrame(dict(ts=ts.strftime("%Y-%m-%dT%H:%M:%SZ"), balance=100_000.0, equity=100_000.0))
    frame.to_csv(files / "gap.csv", index=False)
    arguments = ["compliance", "chance", "--preset", "ftmo-1-step", "--equity", str(files / "gap.csv")]
    result = RUNNER.invoke(app, arguments)
    assert isinstance(result.exception, BadRequest) and "the equity has a gap" in str(result.exception)
    assert "needs at least 20 days" in RUNNER.invoke(app, [*arguments, "--allow-gaps"]).stdout


def test_an_instant_of_the_equity_beyond_every_calendar_is_named(files):
    frame = pd.read_csv(files / "equity.csv", dtype=str)
    frame.loc[2, "ts"] = "9999-01-01T00:00:00Z"
    frame.to_csv(files / "late.csv", index=False)
    result = RUNNER.invoke(app, ["compliance", "chance", "--preset", "ftmo-2-step", "--equity", str(files / "late.csv")])
    assert isinstance(result.exception, BadRequest) and "row 3 of the equity" in str(result.exception)


def test_no_trade_at_all_is_a_sentence(files):
    pd.read_csv(files / "trades.csv").head(0).to_csv(files / "none.csv", index=False)
    result = RUNNER.invoke(
        app, ["compliance", "chance", "--preset", "ftmo-2-step", "--trades", str(files / "none.csv")]
    )
    assert isinstance(result.exception, BadRequest) and "hold no closed trade" in str(result.exception)


def test_an_equity_file_alone_is_enough_and_nothing_is_not(files):
    report = answer("--preset", "fundednext-stellar-2-step", "--equity", files / "equity.csv", "--paths", 200)
    assert report["days"] == 60 and {row["rule"] for row in report["not_judged"]} == {"min_days"}
    assert "sizing" not in report and any("what was risked is not known" in note for note in report["notes"])
    result = RUNNER.invoke(app, ["compliance", "chance", "--preset", "ftmo-2-step"])
    assert isinstance(result.exception, BadRequest) and "give --trades FILE.csv and --equity" in str(result.exception)
    result = RUNNER.invoke(
        app, ["compliance", "chance", "--preset", "ftmo-2-step", "--equity", str(files / "equity.csv"), "--risk", "1%"]
    )
    assert isinstance(result.exception, BadRequest) and "no trade of the path has an R" in str(result.exception)
