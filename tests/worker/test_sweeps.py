"""Sweeps, walk-forwards, stress tests and searches as jobs: through the desk, shared among workers, with things killed on the way."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from math import prod
from threading import Thread

import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.conftest import migrated
from tests.databases import KINDS
from tests.worker.flow import Flow, flow
from tests.worker.kinds import waiting
from worker import actors
from worker.desk import BacktestRequest
from worker.jobs.base import Cancelled, Work
from worker.store import Filter, Process
from worker.store.trials import data_of

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
GRID = {"lookback": [10, 20, 40], "stop_atr": [1.0, 2.0, 3.0], "target_r": [1.0, 3.0]}
RULES = {"sizing": {"kind": "fraction_at_risk", "value": 0.005}}
SEARCH = dict(trials=24, batch=8, fewest_trades=5)
SPACE = {"lookback": [5, 60], "stop_atr": [1.0, 4.0]}
WINDOWS, OBJECTIVE = dict(in_sample=60, out_of_sample=30), dict(figure="net", fewest_trades=5)


def question(desk, run=None, timeframe: str = "H1") -> BacktestRequest:
    """Breakouts on half a year of synthetic bars; ``run`` works on a job until it is done."""
    job = desk.data.generate("regimes", {}, "EURUSD", timeframe, START, END, 3).job
    (run or actors.run)(job.id)
    return BacktestRequest("breakout", {}, [desk.jobs.get(job.id).result["dataset"]], timeframe, START, END, RULES)


def done(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return desk.sweeps.get(job.result["run"])


def ledger(store, run=None) -> list[dict]:
    with store.read() as unit:
        return unit.trials.rows(job_id=run.job_id if run else "")


on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
SUBMITS = {
    "sweep": lambda desk, request: desk.sweeps.submit_sweep(request, GRID),
    "walk_forward": lambda desk, request: desk.sweeps.submit_walk_forward(request, GRID, WINDOWS, OBJECTIVE),
    "stress": lambda desk, request: desk.sweeps.submit_stress(request),
    "optimise": lambda desk, request: desk.sweeps.submit_optimise(request, SPACE, SEARCH),
}
FITS = {"sweep": 18, "walk_forward": 18 * 4, "stress": 0, "optimise": 24}
LEDGER = {"sweep": "sweep", "walk_forward": "walk_forward", "optimise": "optuna"}


@pytest.mark.parametrize("what", SUBMITS)
def test_a_question_becomes_a_run_with_its_trials(system, desk, store, what):
    run = done(desk, SUBMITS[what](desk, question(desk)))
    rows = ledger(store, run)
    assert (run.kind, run.actor, run.synthetic, len(rows)) == (what, "ana", True, FITS[what])
    assert {row["kind"] for row in rows} <= {LEDGER.get(what)} and {row["data"] for row in rows} <= {data_of(run.spec["datasets"])}
    assert desk.sweeps.trials(run.id) == len({row["spec"] for row in rows})
    assert [event.kind for event in desk.trail.history(f"run:{run.id}")] == ["run_finished"] and len(desk.sweeps.table(run.id))
    assert [run.id for run in desk.sweeps.latest()] == [run.id]
    with store.read() as unit:
        assert unit.chunks.all(run.job_id) == [], "its parts were let go"
    assert desk.sweeps.delete(run.id).id == run.id and len(ledger(store, run)) == FITS[what], "deleting a run does not lower the count"
    assert desk.sweeps.latest() == []


@on_sqlite
def test_a_sweep_ranks_its_combinations(system, desk, store):
    request = question(desk)
    size = desk.sweeps.size(request, GRID)
    run = done(desk, desk.sweeps.submit_sweep(request, GRID))
    table, best = desk.sweeps.table(run.id, "sharpe"), run.summary["best"][0]
    assert (size.combinations, run.summary["combinations"], len(table)) == (18, 18, 18) and run.summary["grid"] == GRID == desk.sweeps.axes(run.id)
    assert table["sharpe"].iloc[0] == best["sharpe"] == table["sharpe"].max() and table["number"].iloc[0] == best["number"]
    cells = desk.sweeps.heat(run.id, "lookback", "stop_atr", "net_return", {"target_r": 3.0})
    assert len(cells) == 9 and set(cells["points"]) == {1} and cells["plateau"].notna().all()
    matrix, days = desk.sweeps.matrix(run.id)
    assert matrix.shape == (len(days), 18) and matrix.dtype == "float32"
    assert desk.sweeps.pbo(run.id).columns == 18 and 0 <= desk.sweeps.pbo(run.id).pbo <= 1 and desk.sweeps.pbo(run.id, 8).splits == 70
    assert len(pd.read_csv(io.BytesIO(desk.sweeps.download(run.id)))) == 18
    again = desk.sweeps.request_of(run.id, int(best["number"]))
    backtest = desk.backtests.submit(again)
    actors.run(backtest.job.id)
    alone = desk.backtests.get(desk.jobs.get(backtest.job.id).result["run"])
    assert alone.summary["metrics"]["net_profit"] == best["net_profit"]
    assert len(ledger(store)) == 19 and desk.sweeps.trials(alone.id) == 18, "the run was one of the sweep's trials already"
    assert len(desk.sweeps.sharpes(alone.id)) == 18


@on_sqlite
def test_limits_that_do_not_go_together_are_counted_infeasible(system, desk, store):
    """A daily loss of 0 under the gate on it, which is where the request itself begins."""
    request = replace(question(desk), rules=RULES | dict(limits=dict(daily_gate=True)))
    grid, fitting = {"limits.daily_loss": [0.0, 0.02], "lookback": [10, 20]}, dict(WINDOWS, in_sample=90, out_of_sample=60)
    for submitted in (desk.sweeps.submit_sweep(request, grid), desk.sweeps.submit_walk_forward(request, grid, fitting, OBJECTIVE)):
        run = done(desk, submitted)
        assert (run.summary["combinations"], run.summary["infeasible"]) == (2, 2)
        assert ["daily_gate is on and daily_loss is 0" in sentence for sentence in run.summary["refused"]] == [True]


@on_sqlite
def test_a_backtest_counts_once_however_often_it_runs(system, desk, store):
    request = question(desk)
    for _ in range(2):
        job = desk.backtests.submit(request).job
        actors.run(job.id)
        run = desk.jobs.get(job.id).result["run"]
        assert desk.sweeps.trials(run) == 1
        desk.backtests.delete(run)
    assert [row["kind"] for row in ledger(store)] == ["run", "run"]


@on_sqlite
def test_a_walk_forward_lists_its_folds(system, desk):
    run = done(desk, SUBMITS["walk_forward"](desk, question(desk)))
    folds, curve = desk.sweeps.folds(run.id), desk.sweeps.equity(run.id)
    assert (run.summary["folds"], len(folds), len(desk.sweeps.table(run.id))) == (4, 4, 72)
    fits = desk.sweeps.table(run.id)
    for fold in folds.itertuples():
        fit = fits[(fits["fold"] == fold.fold) & (fits["trades"] >= 5)]
        assert fold.in_sample_return == fit["net_return"].max()
    assert curve["equity"].iloc[-1] == folds["balance"].iloc[-1] and set(run.summary["drift"]) == set(GRID)
    assert run.summary["metrics"]["trades"] == len(desk.sweeps.trades(run.id)) == folds["out_of_sample_trades"].sum()


@on_sqlite
def test_the_same_question_is_the_job_that_answered_it(system, desk):
    request = question(desk)
    first, second = (desk.sweeps.submit_sweep(request, GRID) for _ in range(2))
    other = desk.sweeps.submit_sweep(request, {**GRID, "lookback": [10]})
    assert first.new and not second.new and first.job.id == second.job.id != other.job.id


@on_sqlite
@pytest.mark.parametrize(
    "ask, sentence",
    [
        (lambda desk, valid: desk.sweeps.submit_sweep(valid, {"lokback": [1]}), "did you mean 'lookback'"),
        (lambda desk, valid: desk.sweeps.submit_sweep(valid, {}), "it must have between 1"),
        (lambda desk, valid: desk.sweeps.submit_sweep(BacktestRequest("simple_ma", {}, valid.datasets, "H1", START, END, {}), {"fast": [90], "slow": [80]}), "fast must be the shorter one"),
        (lambda desk, valid: desk.sweeps.submit_walk_forward(valid, GRID, dict(in_sample=400)), "the date range is 182 days"),
        (lambda desk, valid: desk.sweeps.submit_walk_forward(valid, GRID, dict(step=10)), "tests would overlap"),
        (lambda desk, valid: desk.sweeps.submit_optimise(valid, {"lookback": [9, 3]}), "must go upwards"),
    ],
)
def test_an_invalid_request_is_refused_with_a_sentence(system, desk, ask, sentence):
    valid = question(desk)
    with pytest.raises(BadRequest, match=sentence):
        ask(desk, valid)


@pytest.mark.parametrize("kind, what", [("sqlite", "sweep"), ("postgres", "sweep"), ("sqlite", "walk_forward"), ("sqlite", "optimise")], indirect=["kind"])
def test_two_workers_make_the_same_bytes_as_one(system, desk, store, what):
    request = question(desk)
    alone = done(desk, SUBMITS[what](desk, request))
    with store.unit() as unit:
        unit.jobs.forget_key(alone.job_id)
        for k in range(2):      # as two workers would
            unit.alive(Process(f"w{k}", "worker", "here", k, unit.now(), unit.now(), ""))
    job = SUBMITS[what](desk, request).job
    owner = Thread(target=actors.run, args=(job.id,))
    owner.start()
    helper = waiting(lambda: next(iter(desk.jobs.latest(("part",))), None), 20, "a helper was called")
    actors.run(helper.id)
    owner.join()
    shared, helper = desk.sweeps.get(desk.jobs.get(job.id).result["run"]), desk.jobs.get(helper.id)
    assert shared.frames == alone.frames and helper.state == "done"
    assert len(ledger(store, shared)) == FITS[what], "each trial is written once, whoever did it"


@on_sqlite
def test_a_failed_helper_does_not_harm(system, desk, store):
    """It both_busy a part; the owner takes it once that attempt is over."""
    request = question(desk)
    job = desk.sweeps.submit_sweep(request, GRID).job
    with store.unit() as unit:
        unit.chunks.add(job.id, [(0, 2, dict(numbers=[0, 1]))])
        helper = unit.jobs.add("part", "research", "", dict(job=job.id), "worker", unit.now())[0].id
        unit.jobs.claim(helper, "dead", unit.now())
        assert unit.chunks.claim(job.id, f"{helper}:1").number == 0
        unit.jobs.rescue(helper, 1, 0)
    actors.run(job.id)
    assert desk.jobs.get(job.id).state == "done" and len(ledger(store)) == 18


@on_sqlite
def test_a_helper_that_comes_too_late_has_nothing_to_do(system, desk, store):
    run = done(desk, SUBMITS["sweep"](desk, question(desk)))
    with store.unit() as unit:
        late, _ = unit.jobs.add("part", "research", "", dict(job=run.job_id), "worker", unit.now())
    actors.run(late.id)
    assert desk.jobs.get(late.id).result == dict(parts=0) and len(ledger(store)) == 18


@on_sqlite
def test_the_list_of_jobs_leaves_out_what_is_a_piece_of_another(system, desk, store):
    request = question(desk)
    job = desk.sweeps.submit_sweep(request, GRID).job
    with store.unit() as unit:
        helper, _ = unit.jobs.add("part", "research", "", dict(job=job.id), "worker", unit.now())
    assert [job_.id for job_ in desk.jobs.latest(limit=1)] == [job.id] and [job_.id for job_ in desk.jobs.latest(("part",))] == [helper.id]
    assert desk.jobs.pulse().queued == 1
    actors.run(helper.id)
    with store.read() as unit:
        assert unit.jobs.get(helper.id).state == "done"
    assert desk.jobs.pulse().queued == 1 and desk.jobs.get(job.id).open


@on_sqlite
@pytest.mark.parametrize("what", ["sweep", "stress"])
def test_what_a_cancelled_job_leaves_is_stated_by_what_it_left(system, desk, store, what, monkeypatch):
    job = SUBMITS[what](desk, question(desk)).job
    original, shares = Work.progress, []

    def progress(self, share, note=None):
        shares.append(share)
        if share > 0.5:
            raise Cancelled
        original(self, share, note)

    with monkeypatch.context() as patch:
        patch.setattr(Work, "progress", progress)
        actors.run(job.id)
    left = desk.jobs.left(desk.jobs.get(job.id))
    assert desk.jobs.get(job.id).state == "cancelled" and len(shares) > 5
    if what == "stress":
        assert not left.resumes and left.sentence == "Nothing was stored."
        return
    assert left.resumes and 0 < left.parts < left.of and left.trials == len(ledger(store))
    assert left.sentence == f"{left.parts} of {left.of} parts are saved for a day and are not repeated; its {left.trials} trials stay counted."


@on_sqlite
def test_the_price_of_a_sweep_is_what_the_last_one_of_its_strategy_took(system, desk, store):
    request = question(desk)
    guessed = desk.sweeps.size(request, GRID).seconds
    done(desk, desk.sweeps.submit_sweep(request, GRID))
    with store.unit() as unit:
        seen = unit.fact("sweep_pace")["breakout"]
        assert seen["seconds"] > 0 and seen["bars"] == desk.backtests.bars_in(request)
        unit.remember("sweep_pace", dict(breakout=seen | dict(seconds=10.0)))
    assert 0 < guessed < 10 and desk.sweeps.size(request, GRID).seconds == 180.0
    other = BacktestRequest("simple_ma", {}, request.datasets, "H1", START, END, RULES)
    assert desk.sweeps.size(other, {"slow": [50, 60]}).seconds < 1, "another strategy has a pace of its own"


# -- with the real queue and real workers


def on_both_databases(test):
    return pytest.mark.alone(pytest.mark.xdist_group("parts")(test))


@pytest.fixture(scope="module", params=KINDS)
def shared(request, tmp_path_factory) -> Iterator[Flow]:
    home = tmp_path_factory.mktemp("sweeps")
    quick = dict(lease=2.0, beat=0.2, sweep=0.2)
    if request.param == "sqlite":
        with flow(home, migrated(f"sqlite:///{home / 'tidemark.db'}"), **quick) as flow_:
            yield flow_
    else:
        with request.getfixturevalue("postgres_server").database(migrated=True) as url, flow(home, url, **quick) as flow_:
            yield flow_


LONG = {"lookback": list(range(5, 45)), "stop_atr": [1.0, 1.5, 2.0, 2.5], "limits.max_drawdown": [0.9]}     # 160 combinations; under a limit, for without one they are done too soon
IN_LANE = {"lookback": list(range(5, 45)), "stop_atr": [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0], "target_r": [1.0, 1.5, 2.0, 3.0]}     # 1,280 without one, on minutes
WAYS = [pytest.param(LONG, "H1", id="limited"), pytest.param(IN_LANE, "M1", id="lane")]      # which takes two minutes more: with TIDEMARK_KILLS alone
by_either_way = pytest.mark.parametrize("grid, timeframe", WAYS[: 2 if "TIDEMARK_KILLS" in os.environ else 1])


def on(system: Flow, timeframe: str = "H1") -> BacktestRequest:
    system.mend()
    return question(system.desk, lambda job_id: system.until(job_id, "done", 60), timeframe)


def again(system: Flow, backtest_request: BacktestRequest, grid: dict) -> str:
    """The same sweep, worked on anew."""
    spec = system.desk.sweeps._spec(backtest_request, grid)
    return system.desk.jobs._context.submit("sweep", "sweep", spec, queue="research", key="").job.id


def half_done(system: Flow, job_id: str, parts: int = 2):
    def far(unit) -> bool:
        done = [chunk.done_at is not None for chunk in unit.chunks.all(job_id)]
        return sum(done) >= parts and not all(done)

    def look() -> bool:
        with system.store.read() as unit:
            return far(unit)

    waiting(look, 60, f"some parts are done: {system.row(job_id)}")


def both_at_it(system: Flow, job_id: str) -> None:
    def both_busy() -> bool:
        with system.store.read() as unit:
            return len({chunk.holder for chunk in unit.chunks.all(job_id) if chunk.holder}) > 1

    waiting(both_busy, 30, "the other worker helps")


@on_both_databases
@by_either_way
def test_killed_workers_and_a_wiped_queue_cost_parts_and_not_a_byte(shared, record_property, grid, timeframe):
    system, backtest_request = shared, on(shared, timeframe)
    began = time.monotonic()
    complete = system.until(again(system, backtest_request, grid), "done", 60)
    record_property("unbroken_s", round(time.monotonic() - began, 2))
    job_id = again(system, backtest_request, grid)
    system.queue().flushall()
    half_done(system, job_id)
    both_at_it(system, job_id)
    system.kill(system.worker_of(job_id))         # the owner; the helper goes on, and takes the job over when it is out of parts
    broken = system.until(job_id, "done", 60)
    runs = [system.desk.sweeps.get(job.result["run"]) for job in (complete, broken)]
    assert runs[0].frames == runs[1].frames and broken.deaths == 1 and system.effects(job_id) == [1]
    with system.store.read() as unit:
        rows = unit.trials.rows(job_id=job_id)
    assert len(rows) == prod(map(len, grid.values())) == len({row["spec"] for row in rows}), "no trial twice, though a part was begun twice"


@on_both_databases
@by_either_way
def test_cancel_stops_every_worker_within_a_second(shared, record_property, grid, timeframe):
    system, backtest_request = shared, on(shared, timeframe)
    job_id = again(system, backtest_request, {"target_r": [1.0, 2.0, 3.0], **grid})
    half_done(system, job_id, 1)
    both_at_it(system, job_id)
    requested_at = time.monotonic()
    system.desk.jobs.cancel(job_id)

    def stopped() -> bool:
        return system.row(job_id).state == "cancelled" and not [job for job in system.desk.jobs.latest(("part",), ("running", "queued"))]

    waiting(stopped, 3)
    record_property("cancelled_after_s", round(time.monotonic() - requested_at, 2))
    assert time.monotonic() - requested_at < 1.5
    with system.store.read() as unit:
        left, tried, _ = unit.chunks.counts(job_id)
        assert left and len(unit.trials.rows(job_id=job_id)) == tried, "what was tried counts"
    assert system.effects(job_id) == [0] and "job_cancelled" in [record for record in system.events(job_id)]
    system.desk.jobs.retry(job_id)
    system.until(job_id, "running", 20)
    waiting(lambda: system.row(job_id).progress > 0.03, 20, "it goes on where it was")
    system.desk.jobs.cancel(job_id)
    system.until(job_id, "cancelled", 5)
    with system.store.read() as unit:
        assert len(list(unit.trail.all(Filter(entity=f"job:{job_id}", kinds=("job_retried",))))) == 1
