"""A point of a sweep is the run of the same parameters, whoever computes it and in whatever order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.analytics import days_a_year
from domain.backtest import study
from domain.backtest.bench import Bench
from domain.backtest.prepare import prepare
from domain.backtest.sweep import evaluate, merged, order, part_size
from domain.optimise.objective import FIGURES
from domain.strategies import STRATEGIES
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from tests.domain.backtest.points import RULES, request, series

EURUSD = series()
YEN = [EURUSD, series("USDJPY", seed=2)]
CASES = {
    "plain": ([EURUSD], RULES),
    "atr slippage": ([EURUSD], replace(RULES, costs=Costs(slippage=0.1, slippage_kind="atr", slippage_window=9, swap_long=-6.0, swap_short=1.0))),
    "random slippage": ([EURUSD], replace(RULES, costs=Costs(slippage=0.0001, slippage_kind="random", seed=7), execution=Execution("path", True))),
    "two series and a conversion": (YEN, replace(RULES, account=Account(25_000.0), costs=Costs(slippage=0.2, unit="pips", commission_per_lot=3.0))),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("strategy, params", [("breakout", dict(lookback=20)), ("simple_ma", dict(fast=5, slow=30))])
def test_a_point_is_the_run_of_the_same_parameters(case, strategy, params):
    given, rules = CASES[case]
    built, bench = STRATEGIES[strategy](**params), Bench(given)
    bench.evaluate(STRATEGIES[strategy](), rules)      # what another point left must not matter
    evaluation, run = bench.evaluate(built, rules), study.run(given, rules, built)
    assert {name: run.metrics[name] for name in FIGURES} == evaluation.figures and evaluation.figures["trades"]
    assert evaluation.signals == run.signals
    assert evaluation.pnl.sum() == pytest.approx(run.metrics["net_return"], abs=1e-9)
    assert evaluation.sharpe * np.sqrt(days_a_year("fx")) == pytest.approx(run.metrics["sharpe"])


def same(first: np.ndarray, second: np.ndarray) -> bool:
    """Field by field: what pads a record is not part of it."""
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    return all(same(first[name], second[name]) for name in first.dtype.names) if first.dtype.names else np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


@pytest.mark.parametrize("case", CASES)
def test_arrays_prepared_once_equal_those_prepared_each_time(case):
    """To the last byte: a table that prepare learns to fill from signals must be filled here too."""
    given, rules = CASES[case]
    bench = Bench(given)
    for built in (STRATEGIES["breakout"](), STRATEGIES["simple_ma"](5, 30)):
        run, tasks = bench.simulation(built, rules)
        afresh = prepare(tasks, rules)
        assert same(run.prepared.context, afresh.context) and run.prepared.inputs.keys() == afresh.inputs.keys()
        for name, array in afresh.inputs.items():
            assert same(run.prepared.inputs[name], array), name
        assert run.prepared.rows == afresh.rows and (run.prepared.final_rate == afresh.final_rate).all()


def test_a_span_sees_its_own_bars_alone_and_ends_with_them():
    start, end = EURUSD.bars["ts"].iloc[500], EURUSD.bars["ts"].iloc[1_200]
    built, poisoned = STRATEGIES["breakout"](lookback=20), EURUSD.bars.copy()
    poisoned.loc[1_200:, ["open", "high", "low", "close"]] *= 3.0
    part = Bench([EURUSD]).evaluate(built, RULES, (start, end))
    other = Bench([replace(EURUSD, bars=poisoned)]).evaluate(built, RULES, (start, end))
    assert part.figures == other.figures and part.figures["trades"] > 5
    run, tasks = Bench([EURUSD]).simulation(built, RULES, (start, end))
    run.to_end()
    trades = run.outcome(tasks).trades
    assert trades["entry_ts"].min() > start and trades["exit_ts"].max() <= end


def test_the_rules_may_be_swept_too():
    points = request(grid={"lookback": [20], "costs.slippage": [0.0, 0.001], "sizing.value": [0.001, 0.01]})
    table = evaluate(Bench([EURUSD]), points, range(4)).table
    for number, row in table.iterrows():
        rules = replace(RULES, costs=replace(RULES.costs, slippage=row["costs.slippage"]), sizing=replace(RULES.sizing, value=row["sizing.value"]))
        assert study.run([EURUSD], rules, STRATEGIES["breakout"](lookback=20)).metrics["net_profit"] == row["net_profit"], number
    assert table["net_profit"].nunique() == 4


@pytest.mark.parametrize("seed", range(3))
def test_the_result_does_not_depend_on_who_did_what_when(seed):
    points, rng = request(grid={"lookback": [10, 20, 40], "atr_window": [10, 14], "costs.slippage": [0.0, 0.0001]}), np.random.default_rng(seed)
    at_once = evaluate(Bench([EURUSD]), points, range(len(points.points)))
    numbers = rng.permutation(len(points.points))
    parts = [evaluate(Bench([EURUSD]), points, [int(k) for k in cut]) for cut in np.array_split(numbers, 4)]
    for name in ("table", "matrix"):
        together = merged([getattr(parts[k], name) for k in rng.permutation(4)])
        pd.testing.assert_frame_equal(together, getattr(at_once, name), check_exact=True)
    assert sorted(trial for part in parts for trial in part.trials) == sorted(at_once.trials)


def test_points_that_share_features_are_adjacent():
    points = request(grid={"stop_atr": [1.0, 2.0], "lookback": [10, 20]})
    assert [points.points[k]["lookback"] for k in order(points)] == [10, 10, 20, 20]


def test_a_feature_is_computed_once_for_all_points_that_use_it(monkeypatch):
    from domain.backtest import bench as benches
    from domain.features import compute

    computed = []
    monkeypatch.setattr(benches, "compute", lambda bars, uses, context: computed.extend(use.column for use in uses) or compute(bars, uses, context))

    points = request(grid={"stop_atr": [1.0, 2.0, 3.0], "lookback": [10, 20]})
    evaluate(Bench([EURUSD]), points, order(points))
    assert len(computed) == len(set(computed)) == 6


def test_a_point_and_a_run_are_one_trial():
    part = evaluate(Bench([EURUSD]), request(grid={"lookback": [20]}), [0])
    spec = study.spec_of([EURUSD], RULES, STRATEGIES["breakout"](lookback=20))
    swept = evaluate(Bench([EURUSD]), request(grid={"lookback": [20], "costs.slippage": [0.0, RULES.costs.slippage]}), [0, 1])
    assert swept.trials[1].spec == part.trials[0].spec != swept.trials[0].spec
    assert part.trials[0].spec == study.spec_hash(spec) and part.trials[0].days == len(part.matrix.columns) - 1


def test_the_matrix_holds_each_day_of_each_point():
    part = evaluate(Bench([EURUSD]), request(), range(9))
    assert part.matrix.shape == (9, 1 + part.table["days"].iloc[0]) and part.matrix.drop(columns="number").dtypes.eq(np.float32).all()
    assert np.allclose(part.matrix.drop(columns="number").sum(axis=1), part.table["net_return"], atol=1e-5)


def test_watch_receives_progress_and_may_stop_it():
    received = []

    def watch(share: float) -> None:
        received.append(share)
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(Bench([EURUSD]), request(), range(9), watch)
    assert received == sorted(received) and received[0] == 0.0 and received[-1] == pytest.approx(4 / 9)


@pytest.mark.parametrize("bars", [100, 10_000, 224_000, 5_000_000])
@pytest.mark.parametrize("points", [1, 7, 100, 10_000])
def test_a_part_is_some_work_and_there_are_parts_for_all(bars, points):
    size = part_size(bars, points)
    assert 1 <= size <= 500 and (size == 1 or points / size >= 8)
