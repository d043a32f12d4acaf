"""What a backtest will cost and take, said before it is run, against what it did cost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.market import instrument
from worker import actors
from worker.desk import BacktestRequest
from worker.desk.before_run import seconds_for
from worker.jobs import backtests

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture
def kind() -> str:
    return "sqlite"


def done(desk, submitted):
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return job


def request_for(desk, name: str, seed: int = 3, **costs):
    dataset = done(desk, desk.data.generate("regimes", {}, name, "H1", START, END, seed)).result["dataset"]
    return BacktestRequest("breakout", dict(lookback=12), [dataset], "H1", START, END, dict(costs=costs, sizing=dict(kind="fixed_lots", value=1.0)))


def test_the_costs_before_a_run_are_those_of_its_fills(desk, system):
    request = request_for(desk, "EURUSD", unit="pips", slippage=0.3, commission_per_lot=3.5)
    shown = desk.before_run.costs(request)[0]
    run = desk.backtests.get(done(desk, desk.backtests.submit(request)).result["run"])
    fills = desk.jobs._context.store.frames.get(run.frames["fills"])
    fills = fills[fills["lots"] == 1.0]
    assert len(fills) and shown.commission == 3.5 == pytest.approx(fills["commission"].iloc[0])
    assert shown.slippage_money == pytest.approx(fills["slippage_cost"].max()), "0.3 pips of 100,000"
    assert shown.spread_money == pytest.approx(2 * fills["spread_cost"].median(), rel=0.5), "the median of the data; each fill pays half of its bar's"
    assert (shown.side, shown.rate, shown.spread_source) == ("bid", 1.0, "data") and shown.round_trip == pytest.approx(shown.spread_money + 2 * 3.0 + 2 * 3.5)
    assert shown.swap_long_money == instrument("EURUSD").swap_long, "one dollar is one dollar"
    estimate = desk.before_run.estimate(request)
    assert estimate.jobs == 1 and estimate.seconds is not None and estimate.bars > 900 and estimate.compiling == ""


def test_money_in_another_currency_is_converted_at_the_last_price_and_not_shown_where_no_rate_is_loaded(desk, system):
    request = request_for(desk, "USDJPY", unit="pips", spread=1.0, slippage=0.5)
    shown = desk.before_run.costs(request)[0]
    assert shown.rate == pytest.approx(1.0 / shown.price) and 0.001 < shown.rate < 0.1
    assert shown.slippage_money == pytest.approx(0.5 * 0.01 * 100_000 * shown.rate)
    cross = request_for(desk, "EURGBP", unit="pips", spread=1.0, slippage=0.5, commission_per_lot=2.0)
    lacking = desk.before_run.costs(cross)[0]
    assert lacking.rate is None and lacking.slippage_money is None and lacking.round_trip is None and lacking.commission == 2.0 and lacking.slippage == pytest.approx(0.5)


def test_the_time_of_a_run_is_measured_on_earlier_ones():
    line = [(1_000 * k, 0.5 + 0.001 * k) for k in range(1, 9)]
    assert seconds_for(1_000_000, line) == pytest.approx(1.5) and seconds_for(10, line) == pytest.approx(0.501)
    assert seconds_for(100, [(100, 2.0), (300, 1.0)]) == pytest.approx(1.0, abs=1.0), "a line that falls says nothing: in proportion, and never less than the quickest"
    assert seconds_for(10_000, []) is None


def test_compilation_is_a_stage_of_its_own_on_a_first_start_and_its_time_is_no_part_of_the_measured_speed(desk, system, monkeypatch):
    monkeypatch.setattr(backtests, "is_compiled", lambda package: False)
    request = request_for(desk, "EURUSD")
    job = done(desk, desk.backtests.submit(request))
    names = [name for name, _ in job.stages]
    assert names[:3] == ["Load bars", "Compile", "Simulate"]
    at = {name: float(seconds) for name, seconds in job.stages}
    whole = (job.ended_at - job.started_at).total_seconds()
    assert desk.before_run.estimate(request).seconds == pytest.approx(whole - (at["Simulate"] - at["Compile"]), abs=0.01)
