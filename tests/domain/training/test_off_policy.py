"""Doubly robust evaluation against the exact value of a policy, in a market whose rewards are known."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.training.off_policy import CLIP, Logged, doubly_robust

MEANS = np.array([[0.0, 0.3, -0.2], [0.0, -0.4, 0.5]])      # of three actions in two contexts, that come equally often
WANTED = np.array([[0.0, 0.9, 0.1], [0.1, 0.1, 0.8]])       # the policy to judge
EXACT = float((0.5 * WANTED * MEANS).sum())                 # 0.5 x (0.27 - 0.02 - 0.04 + 0.40) = 0.305
LOGGING = np.array([[0.5, 0.25, 0.25], [0.2, 0.6, 0.2]])


def log(rows: int, seed: int, logging: np.ndarray = LOGGING) -> tuple[Logged, np.ndarray]:
    rng = np.random.default_rng(seed)
    context = rng.integers(0, 2, rows)
    action = (rng.random(rows)[:, None] > logging[context].cumsum(axis=1)).sum(axis=1)
    reward = MEANS[context, action] + rng.normal(0, 1.0, rows)
    return Logged(action, logging[context, action], reward, context[:, None].astype(float)), context


def test_the_exact_value_by_hand():
    assert pytest.approx(0.305) == EXACT


def test_the_interval_holds_the_exact_value_as_often_as_it_says():
    """200 logs of 500 decisions: 95 % of the intervals, give or take four standard errors of 1.5 points; and no bias beyond four standard errors."""
    estimates = []
    for seed in range(200):
        logged, context = log(500, seed)
        estimates.append(doubly_robust(logged, WANTED[context]))
    held = np.mean([estimate.low <= EXACT <= estimate.high for estimate in estimates])
    values = np.array([estimate.value for estimate in estimates])
    assert 0.89 <= held <= 1.0
    assert abs(values.mean() - EXACT) < 4 * values.std() / np.sqrt(len(values))


def test_right_twice_over():
    """With wrong expectations the right propensities suffice, with wrong propensities the right expectations."""
    logged, context = log(40_000, 1)
    wrong = np.full((len(context), 3), 5.0)
    assert doubly_robust(logged, WANTED[context], wrong).value == pytest.approx(EXACT, abs=0.1)
    guessed = Logged(logged.action, np.full(len(context), 1 / 3), logged.reward, logged.context)
    assert doubly_robust(guessed, WANTED[context], MEANS[context]).value == pytest.approx(EXACT, abs=0.05)
    assert abs(doubly_robust(guessed, WANTED[context], wrong).value - EXACT) > 0.2


def test_the_log_s_own_policy_gets_the_log_s_mean():
    logged, context = log(2_000, 2)
    estimate = doubly_robust(logged, LOGGING[context], np.zeros((2_000, 3)))
    assert estimate.value == pytest.approx(logged.reward.mean()) and estimate.effective == pytest.approx(2_000) and estimate.clipped == 0.0


def test_weights_are_clipped_at_twenty():
    """One action in a thousand has propensity 0.001: unclipped it would weigh 1,000."""
    rows = np.arange(1_000)
    rare = rows % 100 == 0
    logged = Logged(rare.astype(np.int64), np.where(rare, 0.001, 0.999), np.where(rare, 1.0, 0.0), np.zeros((1_000, 1)))
    estimate = doubly_robust(logged, np.where(rare[:, None], [0.0, 1.0], [0.5, 0.5]), np.zeros((1_000, 2)))
    assert estimate.value == pytest.approx(CLIP * 10 / 1_000) and estimate.clipped == 0.01


def test_too_small_an_effective_sample_is_refused():
    rows = np.arange(1_000)
    action = (rows < 49).astype(np.int64)
    logged = Logged(action, np.full(1_000, 0.5), np.zeros(1_000), np.zeros((1_000, 1)))
    only_1 = np.tile([0.0, 1.0], (1_000, 1))
    with pytest.raises(BadRequest, match=r"49\.0 effective trades of 1,000, and 50 are needed"):
        doubly_robust(logged, only_1)
    enough = Logged((rows < 50).astype(np.int64), np.full(1_000, 0.5), np.zeros(1_000), np.zeros((1_000, 1)))
    assert doubly_robust(enough, only_1).effective == 50.0


@pytest.mark.parametrize(("propensity", "sentence"), [(None, "has no propensities"), (np.array([0.5, 0.0]), "row 2 of the log: the propensity is 0"), (np.array([0.5, np.nan]), "row 2"), (np.array([1.5, 1.0]), "row 1")])
def test_without_propensities_it_is_refused(propensity, sentence):
    with pytest.raises(BadRequest, match=sentence):
        Logged(np.zeros(2, np.int64), propensity, np.zeros(2), np.zeros((2, 1)))
