"""A search is decided by its seed and its trials: resumed anywhere, it continues as it would have."""

from __future__ import annotations

import numpy as np
import pytest

from domain.backtest import bench as bench_module
from domain.backtest.bench import Bench
from domain.backtest.search import RUNGS, Suggestions, TrialResult, bars_to_beat, judge
from domain.backtest.sweep import SweepRequest
from domain.errors import BadRequest, UnknownName
from domain.optimise import Search, dimensions
from domain.strategies.base import make
from tests.domain.backtest.points import RULES, series

EURUSD = series(days=60)
SPACE = {"lookback": [5, 60], "stop_atr": [1.0, 4.0, 0.5], "target_r": dict(low=0.5, high=8.0, log=True), "costs.slippage_kind": dict(choices=["fixed", "random"])}


def searched(how: Search, pause_after: int = 10**9) -> tuple[list, list, list]:
    """Points, verdicts, best. After each ``pause_after`` batches a new process takes over: it has the verdicts and nothing else."""
    bench, results = Bench([EURUSD]), []
    while True:
        suggestions, points, at, batches = Suggestions(how, dimensions("breakout", SPACE)), [], 0, 0
        while batch := suggestions.batch():
            batch_results = results[at : at + len(batch)]
            if not batch_results:
                if batches == pause_after:
                    break
                beat = bars_to_beat(results) if how.prunes else None
                batch_results = judge(bench, SweepRequest("breakout", {}, RULES, batch), how, range(at, at + len(batch)), beat)[0]
                results += batch_results
                batches += 1
            suggestions.learn(batch_results)
            points, at = points + batch, at + len(batch)
        if len(results) == how.trials:
            return points, results, suggestions.best()


@pytest.mark.parametrize("how", [Search(30, 6, "tpe", fewest_trades=5), Search(24, 6, "nsga2", second="net", fewest_trades=5), Search(12, 5, "random", prune=False, fewest_trades=0)], ids=lambda how: how.sampler)
def test_a_resumed_search_equals_an_uninterrupted_one(how):
    uninterrupted, again = searched(how), searched(how, pause_after=2)
    assert uninterrupted == again and len(uninterrupted[0]) == how.trials
    assert searched(Search(**{**how.__dict__, "seed": 1}))[0] != uninterrupted[0]


def test_the_best_is_the_highest_of_those_that_ran_to_the_end():
    _, results, best = searched(Search(30, 6, fewest_trades=5))
    values = {result.number: result.values[0] for result in results if result.values}
    assert best == [max(values, key=values.get)] and any(result.given_up for result in results)


def test_the_front_is_what_nothing_beats_in_both():
    _, results, best = searched(Search(24, 6, second="calmar", fewest_trades=5))
    values = {result.number: result.values for result in results if result.values}
    beaten = {a for a, x in values.items() for y in values.values() if all(np.greater_equal(y, x)) and any(np.greater(y, x))}
    assert set(best) == set(values) - beaten and best and not any(result.given_up for result in results)


def test_a_trial_is_pruned_below_the_median_of_those_before():
    how, beat = Search(1, fewest_trades=0), [1e9, 1e9]
    pruned = judge(Bench([EURUSD]), SweepRequest("breakout", {}, RULES, [{}]), how, [0], beat)
    assert pruned[0][0].given_up and len(pruned[0][0].rungs) == 1 and pruned[0][0].values is None
    assert 0 < pruned[1][0].days < 30, "it counts as a trial, of the days it ran"
    complete = judge(Bench([EURUSD]), SweepRequest("breakout", {}, RULES, [{}]), how, [0], [-1e9, -1e9])[0][0]
    free = judge(Bench([EURUSD]), SweepRequest("breakout", {}, RULES, [{}]), Search(1, fewest_trades=0, prune=False), [0], None)[0][0]
    assert len(complete.rungs) == len(RUNGS) and complete.values == free.values, "looking on the way changes nothing"


def test_nothing_is_pruned_before_ten_ran_to_the_end():
    assert bars_to_beat([TrialResult(k, (1.0,), (0.0, 0.0), False, {}) for k in range(9)]) is None


@pytest.mark.parametrize(
    "space, sentence",
    [({}, "nothing to search"), ({"lookback": [9, 3]}, "must go upwards"), ({"lookback": [1, 50]}, "lookback is 1 bars"), ({"lookback": 3}, "write"), ({"stop_atr": dict(low=0.1, high=1, log=True, step=0.1)}, "no step")],
)  # fmt: skip
def test_a_space_that_cannot_be_searched_is_refused(space, sentence):
    with pytest.raises(BadRequest, match=sentence):
        dimensions("breakout", space)


def test_an_unknown_parameter_is_named():
    with pytest.raises(UnknownName, match="did you mean 'lookback'"):
        dimensions("breakout", {"lokback": [1, 2]})


def test_columns_that_a_new_one_puts_out_of_the_cache_are_used_all_the_same(monkeypatch):
    monkeypatch.setattr(bench_module, "COLUMNS", 4)
    small, points = Bench([EURUSD]), [dict(fast=3, slow=50), dict(fast=4, slow=51), dict(fast=5, slow=50)]
    figures = [small.evaluate(make("simple_ma", point), RULES).figures for point in points]
    monkeypatch.undo()
    assert figures == [Bench([EURUSD]).evaluate(make("simple_ma", point), RULES).figures for point in points]


def test_every_trial_goes_through_the_lane_of_sweeps(monkeypatch):
    def clock(*_):
        raise AssertionError("the clock's loop ran")

    monkeypatch.setattr(Bench, "simulation", clock)
    assert searched(Search(6, 3, "random", prune=False, fewest_trades=0))[0]
