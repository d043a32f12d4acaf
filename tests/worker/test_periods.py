"""Periods and infeasible combinations through the desk: jobs start warm, and a search counts what its strategy refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.worker.test_sweeps import END, START, done, on_sqlite, question
from worker import actors
from worker.desk import BacktestRequest

LATER = datetime(2024, 4, 1, tzinfo=UTC)


def backtested(desk, backtest_request: BacktestRequest):
    job = desk.backtests.submit(backtest_request).job
    actors.run(job.id)
    assert desk.jobs.get(job.id).state == "done", desk.jobs.get(job.id).error
    return desk.backtests.get(desk.jobs.get(job.id).result["run"])


@on_sqlite
@pytest.mark.parametrize("timeframe", ["H1", "H4"])
def test_a_run_of_a_later_period_starts_warm(system, desk, store, timeframe):
    request = replace(question(desk), timeframe=timeframe)
    complete, part = backtested(desk, request), backtested(desk, replace(request, start=LATER))
    trades, later = (store.frames.get(run.frames["trades"]) for run in (complete, part))
    equity = store.frames.get(part.frames["equity"])
    assert (equity["ts"] > LATER).all() and (later["entry_ts"] >= LATER).all()
    first = trades[trades["entry_ts"] > later["entry_ts"].iloc[3]]["entry_ts"].tolist()
    assert set(first[:10]) <= set(later["entry_ts"]), "by then the trades are those of the whole run"
    history = part.summary["history"]
    assert history["bars"]["EURUSD"] == part.manifest["spec"]["data"][0]["history"] > 113 == history["needed"]
    assert history["sentence"].startswith("Features used") and complete.summary["history"]["bars"] == {"EURUSD": 0}
    again = desk.compare.reproduce(part.id).job
    actors.run(again.id)
    assert desk.jobs.get(again.id).result["verdict"] == "same"


@on_sqlite
def test_searches_of_a_later_period_have_the_same_history(system, desk):
    request = replace(question(desk), start=LATER)
    alone = backtested(desk, replace(request, params={"lookback": 20}))
    run = done(desk, desk.sweeps.submit_sweep(request, {"lookback": [10, 20]}))
    assert desk.sweeps.table(run.id).set_index("number").loc[1, "net_profit"] == alone.summary["metrics"]["net_profit"]
    assert run.summary["history"]["bars"] == alone.summary["history"]["bars"]
    walked = done(desk, desk.sweeps.submit_walk_forward(request, {"lookback": [10, 20]}, dict(in_sample=30, out_of_sample=15), dict(figure="net", fewest_trades=1)))
    folds = desk.sweeps.folds(walked.id)
    assert folds["start"].iloc[0] == pd.Timestamp(LATER) and walked.summary["history"]["bars"] == alone.summary["history"]["bars"]


@on_sqlite
def test_what_a_strategy_refuses_is_counted_in_every_kind_of_search(system, desk, store):
    request = replace(question(desk), strategy="simple_ma")
    grid = {"fast": [5, 50], "slow": [20, 60]}
    swept = done(desk, desk.sweeps.submit_sweep(request, grid))
    walked = done(desk, desk.sweeps.submit_walk_forward(request, grid, dict(in_sample=60, out_of_sample=60), dict(figure="net", fewest_trades=1)))
    space = {"fast": {"choices": [5, 50]}, "slow": {"choices": [20, 60]}}
    searched = done(desk, desk.sweeps.submit_optimise(request, space, dict(trials=16, batch=8, fewest_trades=1, sampler="random", prune=False)))
    assert swept.summary["infeasible"] == walked.summary["infeasible"] == 1 and swept.summary["combinations"] == walked.summary["combinations"] == 3
    table = desk.sweeps.table(searched.id)
    crossed = table["fast"] >= table["slow"]
    assert searched.summary["infeasible"] == crossed.sum() > 0 and (table["infeasible"] == crossed).all()
    assert table.loc[crossed, "objective_sharpe"].isna().all() and not any(trial["params"]["fast"] >= trial["params"]["slow"] for trial in searched.summary["best"])
    assert list(searched.summary["refused"]) == ["fast is 50 bars and slow 20; fast must be the shorter one"] and searched.summary["failed"] == 0
    assert len(searched.summary["best"]) == 1, "equal trials of one combination are the best once"
    with store.read() as unit:
        assert len(unit.trials.rows(job_id=searched.job_id)) == 16 - crossed.sum(), "what cannot be traded is no trial"


@on_sqlite
@pytest.mark.parametrize(
    "change, sentence",
    [
        (dict(start=END, end=START), "the period ends on 2024-01-01 00:00, before it begins on 2024-07-01 00:00"),
        (dict(rules={"cost": {"slippage": 1.0}}), "no section of the rules named 'cost'; did you mean 'costs'?"),
        (dict(rules={"costs": 3}), "costs is 3; it must be a mapping"),
        (dict(rules={"costs": {"slipage": 1.0}}), "did you mean 'slippage'?"),
        (dict(strategy="brakeout"), "did you mean 'breakout'?"),
        (dict(timeframe="H3"), "H3"),
        (dict(params={"lookback": True}), "lookback is True; it must be a whole number"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_before_a_job(system, desk, change, sentence):
    valid, before = question(desk), len(desk.jobs.latest())
    with pytest.raises(BadRequest) as refused:
        desk.backtests.submit(replace(valid, **change))
    assert sentence in str(refused.value) and len(desk.jobs.latest()) == before


@on_sqlite
def test_a_figure_to_rank_by_and_a_scenario_must_be_known(system, desk):
    request = question(desk)
    run = done(desk, desk.sweeps.submit_sweep(request, {"lookback": [10, 20]}))
    for word, right in (("sharp", "sharpe"), ("net", "net_return")):
        with pytest.raises(BadRequest, match=f"no figure named '{word}'; did you mean '{right}'"):
            desk.sweeps.table(run.id, word)
    job = desk.sweeps.submit_stress(request, ["spread_22"]).job
    actors.run(job.id)
    assert "no scenario named 'spread_22'; did you mean 'spread_2'" in desk.jobs.get(job.id).error["sentence"]


@on_sqlite
@pytest.mark.parametrize("seed, start, end, sentence", [(-1, START, END, "seed is -1; it must be between 0"), ("x", START, END, "seed is 'x'; it must be a whole number"), (1, START, datetime(2400, 1, 1, tzinfo=UTC), "the limit is 20,000,000; choose a shorter period")])
def test_synthetic_bars_of_no_seed_or_no_end_are_refused(desk, seed, start, end, sentence):
    with pytest.raises(BadRequest) as refused:
        desk.data.generate("regimes", {}, "EURUSD", "M1", start, end, seed)
    assert sentence in str(refused.value) and desk.jobs.latest() == []


@on_sqlite
def test_what_is_varied_need_not_stand_at_its_default(system, desk):
    request = replace(question(desk), strategy="simple_ma", params={"fast": 100})       # slow is 80 by default
    swept = done(desk, desk.sweeps.submit_sweep(request, {"slow": [150, 90, 200]}))
    assert swept.summary["combinations"] == 2 and swept.summary["infeasible"] == 1
    searched = done(desk, desk.sweeps.submit_optimise(request, {"slow": [150, 250]}, dict(trials=4, batch=4, fewest_trades=1, sampler="random")))
    assert searched.summary["infeasible"] == 0
    with pytest.raises(BadRequest, match="fast must be the shorter one"):
        desk.sweeps.submit_optimise(request, {"slow": [20, 90]})
