"""Several series at once, each on an account of its own: as many ordinary runs under one heading."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from worker import actors
from worker.cli import app
from worker.desk import BacktestRequest
from worker.desk.batches import request_per_dataset

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
RULES = {"sizing": {"kind": "fraction_at_risk", "value": 0.005}}
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def question(desk, system) -> BacktestRequest:
    """Breakouts on two pairs."""
    datasets = []
    for name in ("EURUSD", "GBPUSD"):
        actors.run((job := desk.data.generate("regimes", {}, name, "H1", START, END, 3).job).id)
        datasets.append(desk.jobs.get(job.id).result["dataset"])
    return BacktestRequest("breakout", dict(lookback=12), datasets, "H1", START, END, RULES)


def done(desk, batch):
    for member in desk.batches.members(batch.id):
        actors.run(member.job.id)
    return desk.batches.members(batch.id)


def test_each_series_is_the_run_that_it_would_be_alone(desk, question):
    batch = desk.batches.submit(request_per_dataset(question))
    assert [member.job.state for member in desk.batches.members(batch.id)] == ["queued", "queued"] and "on 2 series" in batch.title
    members = done(desk, batch)
    assert [member.run.spec["datasets"] for member in members] == [[desk.data.get(dataset).version] for dataset in question.datasets]
    alone = desk.backtests.submit(replace(question, datasets=question.datasets[1:]))
    assert not alone.new and alone.job.id == members[1].job.id, "a run of a batch is a run like any other"
    table = desk.batches.table(batch.id)
    assert table["state"].tolist() == ["done", "done"] and table["net_profit"].tolist() == [member_.run.summary["metrics"]["net_profit"] for member_ in members]
    assert [name.split()[0] for name in table["bars"]] == ["EURUSD", "GBPUSD"]
    assert pd.read_csv(io.BytesIO(desk.batches.download(batch.id)))["run"].tolist() == [member_.run.id for member_ in members]


def test_two_series_of_one_instrument_do_on_two_accounts_what_they_may_not_on_one(desk, question):
    actors.run((job := desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 4).job).id)
    both = replace(question, datasets=[question.datasets[0], desk.jobs.get(job.id).result["dataset"]])
    with pytest.raises(BadRequest, match="two of the datasets are of the same instrument"):
        desk.backtests.submit(both)
    assert len(desk.batches.members(desk.batches.submit(request_per_dataset(both)).id)) == 2


def test_an_invalid_request_stops_all_before_any_is_queued(desk, question):
    wrong = replace(question, datasets=question.datasets[1:], timeframe="M5")
    with pytest.raises(BadRequest, match="GBPUSD is stored in H1 bars"):
        desk.batches.submit([*request_per_dataset(question)[:1], wrong])
    assert desk.jobs.latest(("backtest",)) == [] and desk.batches.latest() == []


def test_an_identical_batch_is_the_same_heading(desk, question):
    first, second = (desk.batches.submit(request_per_dataset(question)) for _ in range(2))
    assert first.id == second.id and len(desk.jobs.latest(("backtest",))) == 2
    assert desk.trail.history(f"run:{first.id}")[0].kind == "batch_submitted"


def test_what_was_cancelled_failed_or_deleted_says_so(desk, question):
    batch = desk.batches.submit(request_per_dataset(question))
    assert desk.batches.cancel(batch.id) == 2 and desk.batches.table(batch.id)["state"].tolist() == ["cancelled", "cancelled"]
    again = desk.batches.submit(request_per_dataset(question))
    assert again.id != batch.id
    desk.backtests.delete(done(desk, again)[0].run.id)
    assert desk.batches.table(again.id)["state"].tolist() == ["deleted", "done"]
    desk.batches.delete(again.id)
    assert [run.id for run in desk.batches.latest()] == [batch.id] and len(desk.backtests.latest()) == 1, "its runs stay"
    with pytest.raises(BadRequest, match="there is no batch"):
        desk.batches.table(again.id)


def test_the_terminal_starts_one_account_or_one_each(desk, question, monkeypatch):
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: desk)
    arguments = ["runs", "start", *(word for dataset in question.datasets for word in ("--data", dataset)), "--strategy", "breakout", "--json"]
    result = json.loads(CliRunner().invoke(app, arguments).stdout)
    both = json.loads(CliRunner().invoke(app, [*arguments, "--each"]).stdout)
    assert len(result["spec"]["datasets"]) == 2 and [row["state"] for row in both["runs"]] == ["done", "done"]
    spent = [desk.backtests.get(row["run"]).spec["account"]["balance"] for row in both["runs"]]
    assert spent == [result["spec"]["account"]["balance"]] * 2, "each has the whole balance"
