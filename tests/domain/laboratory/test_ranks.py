"""Ranks from one sorting, against scipy's from a sorting each."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from domain.laboratory.ranks import bins, rank, ranks, scores, within_instruments


def column(seed: int = 1, ties: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 9, 500).astype(float) if ties else rng.normal(size=500)
    values[rng.random(500) < 0.2] = np.nan
    return values


@pytest.mark.parametrize("ties", [False, True])
def test_ranks_within_groups_are_those_of_a_sorting_of_each(ties):
    values, groups = column(ties=ties), np.random.default_rng(2).integers(-1, 4, 500)
    result = ranks(rank(values), groups)
    for group in range(4):
        rows = (groups == group) & np.isfinite(values)
        np.testing.assert_allclose(result[rows], rankdata(values[rows]))
    assert np.isnan(result[(groups < 0) | np.isnan(values)]).all()


@pytest.mark.parametrize("ties", [False, True])
def test_scores_have_mean_0_and_deviation_1_in_each_group(ties):
    values, groups = column(ties=ties), np.random.default_rng(2).integers(0, 3, 500)
    result = scores(rank(values), groups)
    for group in range(3):
        own = result[(groups == group) & np.isfinite(values)]
        assert abs(own.mean()) < 1e-12 and own.std() == pytest.approx(1.0)
    assert (result[np.isnan(values)] == 0).all()


def test_a_column_that_does_not_vary_has_no_scores():
    assert np.isnan(scores(rank(np.ones(5)), np.zeros(5, int))).all()


def test_a_column_without_values_has_no_ranks():
    nothing = rank(np.full(4, np.nan))
    assert np.isnan(ranks(nothing, np.zeros(4, int))).all() and (bins(nothing, np.ones(4, bool), 2) == -1).all()


def test_bins_hold_equally_many_and_rise_with_the_value():
    values = column()
    within = np.random.default_rng(4).random(500) < 0.7
    result = bins(rank(values), within, 10)
    counts = np.bincount(result[result >= 0], minlength=10)
    assert counts.max() - counts.min() <= 1
    assert all(values[result == k].max() < values[result == k + 1].min() for k in range(9))
    assert (result[~within | np.isnan(values)] == -1).all()


def test_equal_values_share_a_bin():
    values = column(ties=True)
    result = bins(rank(values), np.ones(500, bool), 20)
    assert all(len(set(result[values == value])) == 1 for value in range(9))


def test_values_of_instruments_are_ranked_within_their_own():
    values, instruments = column(), np.repeat([0, 1], 250)
    result = within_instruments(np.where(instruments == 1, values * 1e4 + 1e6, values), instruments)
    np.testing.assert_allclose(result, within_instruments(values, instruments))
    assert np.nanmin(result[:250]) < 0.01 and np.nanmax(result[250:]) > 0.99
