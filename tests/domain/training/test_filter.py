"""Which signals are taken."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.training.filter import break_even, filter_from, fit_filter


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(8)
    score = rng.uniform(size=3_000)
    return score, np.where(rng.uniform(size=3_000) < score, 1.0, -1.0)      # the mean is above 0 from a score of ½ on


def test_a_signal_is_taken_where_r_by_score_is_above_zero(drawn):
    score, r = drawn
    rule = fit_filter("win", "expected", 0.5, score, r)
    assert not rule.taken(np.array([0.1, 0.35])).any() and rule.taken(np.array([0.65, 0.9])).all()
    bad = fit_filter("fake", "expected", 0.5, score, -r)
    assert bad.taken(np.array([0.1, 0.35])).all() and not bad.taken(np.array([0.65, 0.9])).any()


def test_nothing_is_taken_of_what_always_loses_or_where_nothing_was_seen(drawn):
    score, _ = drawn
    assert not fit_filter("win", "expected", 0.5, score, np.full(len(score), -0.2)).taken(score).any()
    assert not fit_filter("win", "expected", 0.5, score[:0], score[:0]).taken(score).any()
    assert not fit_filter("win", "share", 0.5, score[:0], score[:0]).taken(score).any()


@pytest.mark.parametrize("target", ["win", "fake"])
def test_the_best_share_is_that_share_of_the_calibration_part(target, drawn):
    score, r = drawn
    rule = fit_filter(target, "share", 0.3, score, r)
    taken = rule.taken(score)
    assert taken.sum() == 900
    assert (score[taken].min() > score[~taken].max()) if target == "win" else (score[taken].max() < score[~taken].min())


def test_meta_bets_kellys_share():
    from dataclasses import replace

    p0 = break_even(np.array([3.0, 1.0, -1.0, -1.0, np.nan]))
    assert p0 == pytest.approx(1 / 3)          # wins of 2 on average against losses of 1
    rule = replace(fit_filter("win", "share", 1.0, np.linspace(0, 1, 11), np.zeros(11)), size="meta", p0=p0)
    assert rule.sizes(np.array([0.2, 0.5, 1.0]), np.array([0.2, 0.5, 1.0])).tolist() == pytest.approx([0.0, 0.25, 1.0])
    with pytest.raises(BadRequest, match="2 wins and 0 losses"):
        break_even(np.array([1.0, 2.0]))


def test_values_read_back_decide_the_same(drawn):
    score, r = drawn
    for kind in ("expected", "share"):
        rule = fit_filter("win", kind, 0.4, score, r)
        assert np.array_equal(filter_from(rule.values()).taken(score), rule.taken(score))
