"""A search is decided by its seed and its trials: taken up again anywhere, it goes on as it would have."""

from __future__ import annotations

import numpy as np
import pytest

from domain.backtest.bench import Bench
from domain.backtest.search import RUNGS, Judged, Suggestions, bars_to_beat, judge
from domain.backtest.sweep import SweepRequest
from domain.errors import BadRequest, UnknownName
from domain.optimise import Search, dimensions
from tests.domain.backtest.points import RULES, series

ONE = series(days=60)
SPACE = {"lookback": [5, 60], "stop_atr": [1.0, 4.0, 0.5], "target_r": dict(low=0.5, high=8.0, log=True), "costs.slippage_kind": dict(choices=["fixed", "random"])}


def searched(how: Search, pause_after: int = 10**9) -> tuple[list, list, list]:
    """Points, verdicts, best. After each ``pause_after`` batches a new process takes over: it has the verdicts and nothing else."""
    bench, told = Bench([ONE]), []
    while True:
        suggestions, points, at, batches = Suggestions(how, dimensions("breakout", SPACE)), [], 0, 0
        while batch := suggestions.batch():
            known = told[at : at + len(batch)]
            if not known:
                if batches == pause_after:
                    break
                beat = bars_to_beat(told) if how.prunes else None
                known = judge(bench, SweepRequest("breakout", {}, RULES, batch), how, range(at, at + len(batch)), beat)[0]
                told += known
                batches += 1
            suggestions.learn(known)
            points, at = points + batch, at + len(batch)
        if len(told) == how.trials:
            return points, told, suggestions.best()


@pytest.mark.parametrize("how", [Search(30, 6, "tpe", fewest_trades=5), Search(24, 6, "nsga2", second="net", fewest_trades=5), Search(12, 5, "random", prune=False, fewest_trades=0)], ids=lambda how: how.sampler)
def test_taken_up_again_it_goes_on_as_it_would_have(how):
    whole, again = searched(how), searched(how, pause_after=2)
    assert whole == again and len(whole[0]) == how.trials
    assert searched(Search(**{**how.__dict__, "seed": 1}))[0] != whole[0]


def test_the_best_is_the_highest_of_those_that_ran_to_the_end():
    _, told, best = searched(Search(30, 6, fewest_trades=5))
    values = {one.number: one.values[0] for one in told if one.values}
    assert best == [max(values, key=values.get)] and any(one.given_up for one in told)


def test_the_front_is_what_nothing_beats_in_both():
    _, told, best = searched(Search(24, 6, second="calmar", fewest_trades=5))
    values = {one.number: one.values for one in told if one.values}
    beaten = {a for a, x in values.items() for y in values.values() if all(np.greater_equal(y, x)) and any(np.greater(y, x))}
    assert set(best) == set(values) - beaten and best and not any(one.given_up for one in told)


def test_a_trial_is_given_up_below_the_median_of_those_before():
    how, beat = Search(1, fewest_trades=0), [1e9, 1e9]
    one = judge(Bench([ONE]), SweepRequest("breakout", {}, RULES, [{}]), how, [0], beat)
    assert one[0][0].given_up and len(one[0][0].rungs) == 1 and one[0][0].values is None
    assert 0 < one[1][0].days < 30, "it counts as a trial, of the days it lived"
    whole = judge(Bench([ONE]), SweepRequest("breakout", {}, RULES, [{}]), how, [0], [-1e9, -1e9])[0][0]
    free = judge(Bench([ONE]), SweepRequest("breakout", {}, RULES, [{}]), Search(1, fewest_trades=0, prune=False), [0], None)[0][0]
    assert len(whole.rungs) == len(RUNGS) and whole.values == free.values, "looking on the way changes nothing"


def test_nothing_is_given_up_before_ten_ran_to_the_end():
    assert bars_to_beat([Judged(k, (1.0,), (0.0, 0.0), False, {}) for k in range(9)]) is None


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
