"""Policies against worlds whose best action is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadRequest
from domain.training.actions import SKIP, Action, ActionGrid, applied
from domain.training.policy import POLICIES, FittedHeuristic, Heuristic, Learned, View, growth, own_action, policy_from
from domain.training.policy_tree import best_of

ACTIONS = ActionGrid(sizes="0.5,1", stops="1,2", targets="0,3").actions()
RISK = 0.01


def view(rows: int, seed: int = 0) -> View:
    rng = np.random.default_rng(seed)
    return View(rng.random(rows), rng.exponential(1.0, rows), rng.choice([-1, 1], rows), rng.choice(np.array(["bull", "bear"], object), rows))


def number(action: Action) -> int:
    return ACTIONS.index(action)


def test_the_grid_is_every_combination_and_half_out_only_before_a_farther_target():
    assert ACTIONS[0] == SKIP and len(ACTIONS) == 1 + 2 * 2 * 3
    assert {action.target for action in ACTIONS if action.half} == {3.0}
    assert len(ActionGrid(sizes="1", stops="1", targets="1", halves=True).actions()) == 2


@pytest.mark.parametrize(("params", "sentence"), [(dict(sizes="0,1"), "above 0"), (dict(sizes="11"), "at most 10"), (dict(stops="a"), "commas"), (dict(sizes="10", risk=0.1), "all of the equity"), (dict(sizes=",".join(map(str, range(1, 11))), stops="1,2,3,4,5", targets="1,2,3,4,5"), "at most 200")])
def test_a_grid_that_makes_no_sense_is_refused(params, sentence):
    with pytest.raises(BadRequest, match=sentence):
        ActionGrid(**params).actions()


def test_rewards_by_hand():
    """log(1 + 0.01 x 0.5 x 3) and log(1 - 0.01); a loss of 200 R leaves a thousandth."""
    r = np.array([[5.0, 3.0, -1.0], [5.0, 0.0, -200.0]])
    rewards = growth(r, (SKIP, Action(0.5), Action(1.0)), 0.01)
    assert np.allclose(rewards, [[0.0, np.log(1.015), np.log(0.99)], [0.0, 0.0, np.log(0.001)]])


def test_the_best_action_is_taken_only_where_it_is_surely_above_nothing():
    """Action 1 earns 1 on average with an error of 1, action 2 surely 0.2: with caution 1 the second, without the first, and neither where all lose."""
    swing = np.sqrt(4.0 * 3.0)                          # of five rows: weighted variance 12 x 4/5 ... error = sqrt(mean square / (n - 1))
    first = 1.0 + np.array([swing, -swing, swing, -swing, 0.0])
    rewards = np.column_stack([np.zeros(5), first, np.full(5, 0.2)])
    assert best_of(rewards, np.ones(5), 0.0)[0] == 1 and best_of(rewards, np.ones(5), 1.0)[0] == 2
    assert best_of(-rewards - 2.0, np.ones(5), 0.0)[0] == 0


def world(rows: int, seed: int) -> tuple[View, np.ndarray]:
    """Calm: the signal as it is earns 1 R on average; volatile: a stop of 2 with half out earns 0.5, anything else loses; in the bear regime everything loses."""
    seen, rng = view(rows, seed), np.random.default_rng(seed + 1)
    mean = np.full((rows, len(ACTIONS)), -0.5)
    volatile = seen.volatility > 1.0
    for k, action in enumerate(ACTIONS):
        mean[~volatile & (action.protection == (1.0, 0.0, False)), k] = 1.0
        mean[volatile & (action.protection == (2.0, 3.0, True)), k] = 0.5
    mean[seen.regime == "bear"] = -0.5
    by_protection = {protection: rng.normal(0, 1.0, rows) for protection in {action.protection for action in ACTIONS}}
    return seen, mean + np.column_stack([by_protection[action.protection] for action in ACTIONS])


def test_learned_finds_the_best_action_of_each_context():
    seen, r = world(3_000, 5)
    fitted = Learned(depth=3, leaf=100).fit(seen, r, np.ones(3_000), ACTIONS, RISK)
    fresh, _ = world(500, 77)
    calm, clear = fresh.volatility < 0.9, fresh.volatility > 1.1
    chosen = fitted.act(fresh)
    assert (chosen[fresh.regime == "bear"] == 0).all()
    assert (chosen[(fresh.regime == "bull") & calm] == number(Action(1.0, 1.0, 0.0))).mean() > 0.95
    assert (chosen[(fresh.regime == "bull") & clear] == number(Action(1.0, 2.0, 3.0, True))).mean() > 0.95


def test_learned_takes_nothing_where_nothing_can_be_earned():
    """2,000 signals whose R is noise less a cost of 0.1: of twelve actions the best looks good in some leaf, and caution leaves nearly all of them alone."""
    seen, rng = view(2_000, 3), np.random.default_rng(9)
    r = rng.normal(-0.1, 1.0, (2_000, len(ACTIONS)))
    fitted = Learned(depth=3, leaf=100, caution=2.0).fit(seen, r, np.ones(2_000), ACTIONS, RISK)
    assert (fitted.act(view(1_000, 4)) == 0).mean() > 0.7


def test_heuristic_by_hand():
    """p0 = 1/3: p = 0.5 is a Kelly share of 0.25, under the smallest size, which is taken; 0.7 is 0.55: a half; 1 is 1. Volatile: wide stop and half out."""
    rule = FittedHeuristic(ACTIONS, 1 / 3, 2.0, ("crash",))
    p = np.array([0.3, 1 / 3, 0.5, 0.7, 1.0, 1.0, 1.0, np.nan])
    seen = View(p, np.array([1, 1, 1, 1, 1, 2.0, 1, 1]), np.ones(8), np.array(["", "", "", "", "", "", "crash", ""], object))
    calm, wild = (1.0, 3.0, False), (2.0, 3.0, True)
    assert rule.act(seen).tolist() == [0, 0, number(Action(0.5, *calm)), number(Action(0.5, *calm)), number(Action(1.0, *calm)), number(Action(1.0, *wild)), 0, 0]


def test_heuristic_learns_break_even_and_losing_regimes_from_the_signals_as_they_are():
    seen = view(400, 1)
    own = own_action(ACTIONS)
    assert ACTIONS[own].protection == (1.0, 0.0, False) and ACTIONS[own].size == 1.0
    r = np.zeros((400, len(ACTIONS)))
    r[:, own] = np.where(np.arange(400) % 2 == 0, 2.0, -1.0)           # W = 2, L = 1: p0 = 1/3
    r[seen.regime == "bear", own] = -1.0 + 1e-3 * (np.arange((seen.regime == "bear").sum()) % 2)
    fitted = Heuristic().fit(seen, r, np.ones(400), ACTIONS, RISK)
    assert fitted.bad == ("bear",) and 0.3 < fitted.p0 < 0.34


@pytest.mark.parametrize("name", list(POLICIES))
def test_a_policy_is_read_back_and_acts_by_rows(name):
    seen, r = world(600, 2)
    fitted = POLICIES[name]().fit(seen, r, np.ones(600), ACTIONS, RISK)
    again = policy_from(json.loads(json.dumps(fitted.values())), ACTIONS)
    chosen = fitted.act(seen)
    assert (again.act(seen) == chosen).all() and len(set(chosen.tolist())) > 1
    assert ((chosen >= 0) & (chosen < len(ACTIONS))).all()
    order = np.random.default_rng(0).permutation(600)
    assert (fitted.act(seen.take(order)) == chosen[order]).all() and all(fitted.act(seen.take(np.array([row])))[0] == chosen[row] for row in range(0, 600, 97))
    with pytest.raises(BadRequest, match="at least 50 signals"):
        POLICIES[name]().fit(seen.take(np.arange(49)), r[:49], np.ones(49), ACTIONS, RISK)


@settings(max_examples=25, derandomize=True)
@given(st.floats(0.3, 3.0), st.sampled_from([0.0, 1.0, 2.5]), st.booleans(), st.sampled_from([-1, 1]), st.floats(0.05, 2.0))
def test_an_action_moves_the_stop_by_its_multiple_and_replaces_targets(stop, target, half, side, size):
    columns = {name: np.array([value]) for name, value in dict(stop_loss=100.0 - side, price=np.nan, size=np.nan, grid_spacing=np.nan).items()}
    for k in range(1, 5):
        columns |= {f"target_{k}": np.array([100.0 + 5 * side if k == 1 else np.nan]), f"target_r_{k}": np.array([np.nan]), f"fraction_{k}": np.array([1.0 if k == 1 else np.nan])}
    half = half and target > 1
    taken = applied(columns, np.array([0]), [Action(size, stop, target, half)], np.array([100.0]))
    assert taken["stop_loss"][0] == pytest.approx(100.0 - side * stop) and taken["size"][0] == size
    assert columns["stop_loss"][0] == 100.0 - side          # what was given stays
    in_r, shares = [taken[f"target_r_{k}"][0] for k in (1, 2)], [taken[f"fraction_{k}"][0] for k in (1, 2)]
    if not target:
        assert taken["target_1"][0] == 100.0 + 5 * side and np.isnan(in_r).all()
    else:
        assert np.isnan(taken["target_1"][0]) and (in_r, shares) == ([1.0, target], [0.5, 0.5]) if half else (in_r[0], shares[0]) == (target, 1.0) and np.isnan(in_r[1])
