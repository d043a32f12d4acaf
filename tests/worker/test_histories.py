"""More histories of a finished run: through the desk, shared among workers, from the terminal."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from threading import Thread

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.worker.kinds import waiting
from worker import actors
from worker.cli import app
from worker.desk import BacktestRequest
from worker.jobs.base import Cancelled, Work
from worker.store import Process

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
PLAN = dict(paths=400, seed=3)
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Forty histories a part."""
    monkeypatch.setattr("domain.analytics.histories.LARGEST_PART", 40)


def finished(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return desk.backtests.get(job.result["run"])


@pytest.fixture
def backtest_run(desk, system):
    actors.run((job := desk.data.generate("regimes", {}, "EURUSD", "H1", START, END, 3).job).id)
    dataset = desk.jobs.get(job.id).result["dataset"]
    return finished(desk, desk.backtests.submit(BacktestRequest("breakout", dict(lookback=12), [dataset], "H1", START, END, dict(sizing=dict(kind="fraction_at_risk", value=0.005)))))


def test_as_many_histories_as_requested_speak_about_the_run(desk, store, backtest_run):
    drawn = finished(desk, desk.robustness.submit_histories(backtest_run.id, PLAN))
    figures = drawn.summary["histories"]["figures"]
    assert (figures["paths"], figures["seed"], figures["sample"], figures["steps"]) == (400, 3, "trades", backtest_run.summary["metrics"]["trades"])
    believed = desk.robustness.of(backtest_run.id)
    assert believed.drawn.id == drawn.id and believed.belief.monte_carlo.paths == 400 and believed.histories == drawn.summary["histories"]
    table = pd.read_csv(io.BytesIO(desk.backtests.download(drawn.id, "draws", "csv")))
    assert table["path"].tolist() == list(range(400)) and (table["final"] < 0).mean() == figures["chance_of_loss"]
    with store.read() as unit:
        assert unit.chunks.all(drawn.job_id) == [] and len(unit.trials.rows()) == 1, "its parts were let go, and histories are no trials"
    assert desk.trail.history(f"run:{backtest_run.id}")[-1].kind == "run_histories_drawn"


def test_as_many_as_the_run_drew_itself_are_the_same_ones(desk, backtest_run):
    own = backtest_run.summary["histories"]
    drawn = finished(desk, desk.robustness.submit_histories(backtest_run.id, dict(paths=own["figures"]["paths"])))
    assert drawn.summary["histories"] == own


def test_any_split_and_any_number_of_workers_make_the_same_bytes(desk, store, backtest_run, monkeypatch):
    alone = finished(desk, desk.robustness.submit_histories(backtest_run.id, PLAN))
    monkeypatch.setattr("domain.analytics.histories.LARGEST_PART", 17)
    with store.unit() as unit:
        unit.jobs.forget_key(alone.job_id)
        for k in range(2):      # as two workers would
            unit.alive(Process(f"w{k}", "worker", "here", k, unit.now(), unit.now(), ""))
    job = desk.robustness.submit_histories(backtest_run.id, PLAN).job
    owner = Thread(target=actors.run, args=(job.id,))
    owner.start()
    helper = waiting(lambda: next(iter(desk.jobs.latest(("part",))), None), 20, "a helper was called")
    actors.run(helper.id)
    owner.join()
    together = desk.backtests.get(desk.jobs.get(job.id).result["run"])
    assert together.frames == alone.frames and together.summary == alone.summary and desk.jobs.get(helper.id).state == "done"


def test_a_cancelled_drawing_keeps_its_parts_and_goes_on_from_them(desk, store, backtest_run, monkeypatch):
    run = finished(desk, desk.robustness.submit_histories(backtest_run.id, PLAN))
    with store.unit() as unit:
        unit.jobs.forget_key(run.job_id)
    job, shares = desk.robustness.submit_histories(backtest_run.id, PLAN).job, []

    def progress(self, share, note=None, _own=Work.progress):
        _own(self, share, note)
        shares.append(note)
        if note and note.startswith("12") and note.endswith("of 400 histories"):
            raise Cancelled

    with monkeypatch.context() as patch:
        patch.setattr(Work, "progress", progress)
        actors.run(job.id)
    with store.read() as unit:
        left, done, _ = unit.chunks.counts(job.id)
    assert desk.jobs.get(job.id).state == "cancelled" and (left, done) == (7, 120) and desk.jobs.left(desk.jobs.get(job.id)).parts == 3
    desk.jobs.retry(job.id)
    built_again = []
    monkeypatch.setattr("worker.jobs.histories.PartResult", lambda frames, trials: built_again.append(1) or __import__("worker.jobs.parts", fromlist=["PartResult"]).PartResult(frames, trials))
    actors.run(job.id)
    again = desk.backtests.get(desk.jobs.get(job.id).result["run"])
    assert again.frames == run.frames and again.summary == run.summary and len(built_again) == 7


def test_the_same_number_and_seed_are_the_drawing_that_was_made(desk, backtest_run):
    first, second = (desk.robustness.submit_histories(backtest_run.id, PLAN) for _ in range(2))
    other = desk.robustness.submit_histories(backtest_run.id, PLAN | dict(seed=4))
    assert first.new and not second.new and first.job.id == second.job.id != other.job.id
    drawing, another = (finished(desk, submitted) for submitted in (first, other))
    assert drawing.frames != another.frames and desk.robustness.of(backtest_run.id).drawn.id == another.id, "the newest speaks"


def test_histories_go_with_their_run_and_not_alone(desk, store, backtest_run):
    drawn = finished(desk, desk.robustness.submit_histories(backtest_run.id, PLAN))
    with pytest.raises(BadRequest, match="is of the kind histories; a Monte Carlo is for backtests"):
        desk.robustness.submit_histories(drawn.id)
    late = desk.robustness.submit_histories(backtest_run.id, PLAN | dict(seed=9)).job
    desk.backtests.delete(backtest_run.id)
    with pytest.raises(BadRequest, match=f"there is no run {drawn.id}"):
        desk.backtests.get(drawn.id)
    actors.run(late.id)
    assert desk.jobs.get(late.id).error["sentence"].startswith(f"there is no run {backtest_run.id}; it may have been deleted")


@pytest.mark.parametrize("plan, sentence", [(dict(paths=3), "paths"), (dict(paths=100_001), "paths"), (dict(pahts=100), "did you mean 'paths'")])
def test_what_cannot_be_drawn_is_refused_at_once(desk, backtest_run, plan, sentence):
    with pytest.raises(BadRequest, match=sentence):
        desk.robustness.submit_histories(backtest_run.id, plan)


def test_the_terminal_draws_and_writes_them(desk, backtest_run, monkeypatch, tmp_path):
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: desk)
    result = CliRunner().invoke(app, ["runs", "histories", backtest_run.id, "--paths", "200", "--seed", "5", "--out", str(tmp_path / "out"), "--json"])
    output = json.loads(result.stdout)
    assert (output["of"], output["paths"], output["seed"]) == (backtest_run.id, 200, 5) and len(pd.read_csv(tmp_path / "out" / "histories.csv")) == 200
    printed = CliRunner().invoke(app, ["runs", "histories", backtest_run.id, "--paths", "200", "--seed", "5"])
    assert "chance of loss" in printed.stdout and "max drawdown" in printed.stdout and output["run"] in printed.stdout, "asked before, told at once"
