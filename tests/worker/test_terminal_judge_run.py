"""A stored backtest judged through the terminal: the same verdict as on its exported files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.worker.test_terminal_hostile import RUBBISH, sentence_of
from worker import actors
from worker.cli import app
from worker.desk import BacktestRequest

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_run_is_judged_as_its_exported_files_are(desk, system, monkeypatch, tmp_path):
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: desk)

    def finished(submitted):
        actors.run(submitted.job.id)
        return desk.jobs.get(submitted.job.id).result

    def judge(preset: str, *words: object):
        out = tmp_path / f"{preset}-{words[0][2:]}"
        done = CliRunner().invoke(app, ["compliance", "judge", "--preset", preset, *map(str, words), "--out", str(out)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, json.loads((out / "verdict.json").read_text()), out

    dataset = finished(desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3))["dataset"]
    run = finished(desk.backtests.submit(BacktestRequest("breakout", {}, [dataset], "H1", START, END, {"sizing": {"kind": "fraction_at_risk", "value": 0.03}})))["run"]
    assert CliRunner().invoke(app, ["runs", "export", run, "--out", str(tmp_path / "files")]).exit_code == 0
    files = ("--equity", tmp_path / "files" / "equity.csv", "--trades", tmp_path / "files" / "trades.csv")
    code, verdict, out = judge("ftmo-2-step", "--run", run)
    same = judge("ftmo-2-step", *files)
    assert code == same[0] and verdict["rules"] == same[1]["rules"]
    pd.testing.assert_frame_equal(pd.read_csv(out / "floors.csv"), pd.read_csv(same[2] / "floors.csv"))
    assert verdict["initial"] == desk.backtests.get(run).summary["balance"] and verdict["path"]["trades"] == len(desk.backtests.trades(run)) > 5

    scaled = judge("topstep-50k", "--run", run)[1]
    assert scaled["initial"] == 50_000.0 and "is scaled to the 50,000.00 of the rules" in scaled["notes"][0]
    with pytest.raises(BadRequest, match="there is no run nosuch"):
        raise CliRunner().invoke(app, ["compliance", "judge", "--preset", "ftmo-2-step", "--run", "nosuch", "--out", str(tmp_path / "x")]).exception


@pytest.mark.parametrize("kind", ["random", "deep toml", "nuls"])
def test_rubbish_in_place_of_a_file_is_a_sentence(tmp_path, kind):
    (tmp_path / "x").write_bytes(RUBBISH[kind])
    (tmp_path / "equity.csv").write_text("ts,balance,equity\n2026-03-02T10:00:00Z,1,1\n")
    judge = ["compliance", "judge", "--out", tmp_path / "out"]
    sentence_of([*judge, "--preset", "ftmo-2-step", "--equity", tmp_path / "x"])
    sentence_of([*judge, "--preset", "ftmo-2-step", "--equity", tmp_path / "equity.csv", "--trades", tmp_path / "x"])
    sentence_of([*judge, "--rules", tmp_path / "x", "--equity", tmp_path / "equity.csv"])
    sentence_of([*judge, "--preset", "ftmo-2-step", "--equity", tmp_path / "equity.csv", "--releases", tmp_path / "x"])
    sentence_of([*judge, "--preset", RUBBISH[kind].decode("latin-1"), "--equity", tmp_path / "equity.csv"])
    assert not (tmp_path / "out").exists()
