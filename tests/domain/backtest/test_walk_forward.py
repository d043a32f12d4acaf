"""A walk-forward chooses by what was over before its test begins, and earns what the tests earned."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from domain.analytics import measure
from domain.backtest import walk_forward
from domain.backtest.bench import Bench
from domain.backtest.simulator import simulate
from domain.features import compute
from domain.optimise import Objective, Windows, efficiency, folds
from domain.trading.signals import read_signals
from domain.trading.task import Task
from tests.domain.backtest.points import RULES, request, series

EURUSD = series(days=200)
WINDOWS = Windows(in_sample=60, out_of_sample=30, embargo=5)
FOLDS = folds(EURUSD.bars["ts"], WINDOWS)
REQUEST = request()
OBJECTIVE = Objective("sharpe", 5)


def walked(market=EURUSD, objective=OBJECTIVE, periods=FOLDS):
    bench = Bench([market])
    fits = walk_forward.fit(bench, REQUEST, periods, range(9)).table
    picked = walk_forward.choices(fits, periods, objective)
    return fits, picked, walk_forward.trade(bench, REQUEST, periods, picked, fits)


FITS, PICKED, TESTED = walked()


def slow_sharpe(number: int, fold) -> tuple[float, int]:
    """From the words alone: bars of the window, signals from all bars before its end, a separate run."""
    strategy = REQUEST.strategy_at(number)
    bars = EURUSD.bars[EURUSD.bars["ts"] < fold.end]
    signals = read_signals(strategy.signals(compute(bars, strategy.features())).assign(instrument="EURUSD"), ("EURUSD",))
    window = bars[bars["ts"] >= fold.start].reset_index(drop=True)
    signals = signals[signals["ts"] >= fold.start].reset_index(drop=True)
    out = simulate([Task(EURUSD.instrument, EURUSD.timeframe, window, signals)], RULES.account, RULES.costs, RULES.execution, RULES.sizing)
    assert out.trades["exit_ts"].max() <= fold.end < fold.test_start
    return measure(out.trades, out.fills, out.equity, RULES.account.balance)["sharpe"], len(out.trades)


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: str(fold.number))
def test_a_choice_is_the_best_of_runs_that_ended_before_the_test(fold):
    results = [slow_sharpe(number, fold) for number in range(9)]
    ours = FITS[FITS["fold"] == fold.number]
    assert np.allclose(ours["sharpe"], [sharpe for sharpe, _ in results], rtol=1e-12)
    best = max((sharpe, -number) for number, (sharpe, trades) in enumerate(results) if trades >= 5)
    assert PICKED[fold.number] == -best[1]


def test_what_comes_after_a_window_does_not_change_its_choice():
    poisoned = EURUSD.bars.copy()
    late = poisoned["ts"] >= FOLDS[1].end
    poisoned.loc[late, ["open", "high", "low", "close"]] = poisoned.loc[late, ["open", "high", "low", "close"]].to_numpy()[::-1]
    poisoned.loc[late, "high"] = poisoned.loc[late, ["open", "high", "low", "close"]].max(axis=1)
    poisoned.loc[late, "low"] = poisoned.loc[late, ["open", "high", "low", "close"]].min(axis=1)
    fits, picked, _ = walked(replace(EURUSD, bars=poisoned))
    assert picked[:2] == PICKED[:2]
    pd.testing.assert_frame_equal(fits[fits["fold"] < 2], FITS[FITS["fold"] < 2], check_exact=True)
    assert not fits[fits["fold"] > 1].equals(FITS[FITS["fold"] > 1]), "the poison was strong enough to be seen"


@pytest.mark.parametrize("windows", [WINDOWS, Windows(60, 30, anchored=True), Windows(60, 20, step=40), Windows(30, 10, embargo=40)])
def test_a_test_begins_after_its_fit_and_no_day_is_tested_twice(windows):
    periods = folds(EURUSD.bars["ts"], windows)
    for period in periods:
        between = ((EURUSD.bars["ts"] >= period.end) & (EURUSD.bars["ts"] < period.test_start)).sum()
        assert period.start < period.end <= period.test_start < period.test_end and between == windows.embargo
    assert all(a.test_end <= b.test_start for a, b in pairwise(periods)) and len(periods) > 2
    assert {period.start for period in periods} == {periods[0].start} if windows.anchored else len({period.start for period in periods}) == len(periods)


def test_the_stitched_account_is_what_one_fold_left_to_the_next():
    table = TESTED.folds
    assert np.prod(1 + table["out_of_sample_return"]) * RULES.account.balance == pytest.approx(TESTED.equity["equity"].iloc[-1])
    assert table["balance"].iloc[-1] == pytest.approx(RULES.account.balance + TESTED.trades["pnl"].sum())
    assert TESTED.equity["ts"].is_monotonic_increasing and TESTED.trades["trade_id"].is_unique
    for fold, trades in TESTED.trades.groupby("fold"):
        assert trades["entry_ts"].min() > FOLDS[fold].test_start and trades["exit_ts"].max() <= FOLDS[fold].test_end + pd.Timedelta(hours=1)


def test_efficiency_is_yearly_net_of_tests_over_that_of_fits():
    table = TESTED.folds
    tests, fits = ((table[f"{part}_return"] / table[f"{part}_days"]).mean() for part in ("out_of_sample", "in_sample"))
    assert efficiency(table) == pytest.approx(tests / fits)


def test_where_nothing_qualifies_nothing_is_traded():
    _, picked, tested = walked(objective=Objective("sharpe", 100_000))
    assert picked == [None] * len(FOLDS) and tested.trades.empty and set(tested.equity["equity"]) == {RULES.account.balance}
    assert efficiency(tested.folds) is None and tested.folds["lookback"].isna().all()


def test_merged_parts_equal_all_fits():
    parts = [walk_forward.fit(Bench([EURUSD]), REQUEST, FOLDS, part).table for part in ([8, 1], [0, 2, 4, 6], [7, 5, 3])]
    pd.testing.assert_frame_equal(walk_forward.merged(parts), FITS, check_exact=True)


def test_every_fit_goes_through_the_lane_of_sweeps(monkeypatch):
    def clock(*_):
        raise AssertionError("the clock's loop ran")

    monkeypatch.setattr(Bench, "simulation", clock)
    assert walk_forward.fit(Bench([EURUSD]), REQUEST, FOLDS[:1], range(9)).table["sharpe"].tolist() == FITS["sharpe"].tolist()[:9]
