"""``tidemark compliance chance`` of a stored run: the same answer as of its files."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.worker.test_terminal_chance import files as files
from worker.cli import app
from worker.terminal import here

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
ABOUT = dict(job_id="j", title="t", spec=dict(strategy="breakout"), manifest={}, actor="ana")


def answer(*words: object) -> dict:
    arguments = ["compliance", "chance", "--preset", "ftmo-2-step", "--paths", "200", "--no-sizing", "--json", *map(str, words)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return json.loads(result.stdout)


def test_a_stored_run_has_the_chance_of_its_files(desk, store, files, monkeypatch):
    monkeypatch.setattr(here, "desk", lambda: desk)
    times = dict(trades=["entry_ts", "exit_ts"], equity=["ts"])
    tables = {name: pd.read_csv(files / f"{name}.csv", parse_dates=columns) for name, columns in times.items()}
    frames = {name: store.frames.put(table) for name, table in tables.items()}
    summary = dict(balance=100_000.0, currency="USD")
    with store.unit() as unit:
        run = unit.runs.add(kind="backtest", summary=summary, frames=frames, created_at=unit.now(), **ABOUT)
        sweep = unit.runs.add(kind="sweep", summary={}, frames={}, created_at=unit.now(), **ABOUT)
    stored = answer("--run", run)
    from_files = answer("--equity", files / "equity.csv", "--trades", files / "trades.csv", "--initial", 100_000)
    for name in ("passed", "failed", "days", "traded_risk", "breaches"):
        assert stored[name] == from_files[name]
    with pytest.raises(BadRequest, match="is no backtest but a sweep"):
        answer("--run", sweep)
    with pytest.raises(BadRequest, match="--initial goes with --trades"):
        answer("--run", run, "--initial", 1_000)
