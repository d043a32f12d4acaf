"""A combination that a strategy refuses is infeasible: counted with its sentence, never ranked, never raised out of a search."""

from __future__ import annotations

import pytest

from domain.backtest import sweep, walk_forward
from domain.backtest.bench import Bench
from domain.backtest.search import Suggestions, TrialResult, judge
from domain.backtest.sweep import SweepRequest
from domain.errors import BadRequest
from domain.optimise import Search, Windows, dimensions, folds
from domain.strategies.breakout import Breakout
from tests.domain.backtest.points import RULES, series

EURUSD = series(days=20)
CROSSED = "fast is 40 bars and slow 20; fast must be the shorter one"


@pytest.fixture
def picky(monkeypatch):
    """A strategy that refuses to decide with a channel of 13 bars."""
    decide = Breakout.signals

    def signals(self, frame):
        if self.lookback == 13:
            raise BadRequest("13 is unlucky")
        return decide(self, frame)

    monkeypatch.setattr(Breakout, "signals", signals)


def test_a_search_continues_past_infeasible_points():
    points = [dict(fast=40, slow=20), dict(fast=5, slow=20), dict(fast=20, slow=20)]
    results, trials = judge(Bench([EURUSD]), SweepRequest("simple_ma", {}, RULES, points), Search(3, first="net", fewest_trades=0), [0, 1, 2], None)
    assert [result.refused for result in results] == [CROSSED, "", "fast is 20 bars and slow 20; fast must be the shorter one"]
    assert [result.values is None for result in results] == [True, False, True] and not any(result.given_up for result in results)
    assert len(trials) == 1, "what cannot be traded is no trial"


def test_a_search_of_infeasible_points_alone_finds_nothing():
    how = Search(4, 4, "random")
    suggestions = Suggestions(how, dimensions("simple_ma", {"fast": [50, 60], "slow": [10, 20]}))
    results, trials = judge(Bench([EURUSD]), SweepRequest("simple_ma", {}, RULES, suggestions.batch()), how, range(4), None)
    suggestions.learn(results)
    assert all(result.refused for result in results) and not trials and suggestions.best() == [] and suggestions.batch() == []


def test_equal_trials_of_one_combination_are_the_best_once():
    suggestions = Suggestions(Search(6, 6, "random", fewest_trades=0), dimensions("simple_ma", {"fast": {"choices": [5]}}))
    suggestions.batch()
    suggestions.learn([TrialResult(k, (1.0 if k else 0.5,), (), False, {}) for k in range(6)])
    assert suggestions.best() == [1]


def test_what_refuses_to_decide_is_left_out_of_sweep_and_fits(picky):
    request, bench = SweepRequest("breakout", {}, RULES, [dict(lookback=10), dict(lookback=13), dict(lookback=20)]), Bench([EURUSD])
    part = sweep.evaluate(bench, request, [0, 1, 2])
    assert part.table["number"].tolist() == part.matrix["number"].tolist() == [0, 2] and part.refused == {1: "13 is unlucky"} and len(part.trials) == 2
    alone = sweep.evaluate(bench, request, [1])
    assert len(alone.table) == len(alone.matrix) == len(alone.trials) == 0
    assert sweep.merged([alone.table, part.table])["number"].tolist() == [0, 2]
    fits = walk_forward.fit(bench, request, folds(EURUSD.bars["ts"], Windows(in_sample=8, out_of_sample=4)), [0, 1, 2])
    assert set(fits.table["number"]) == {0, 2} and fits.refused == {1: "13 is unlucky"}
