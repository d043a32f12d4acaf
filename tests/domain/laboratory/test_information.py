"""Information against scipy and against slow sums written from the formulas; and whether a p of 5 % comes in 5 of 100."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, spearmanr

from domain.laboratory.information import View, all_rows, association, benjamini_hochberg, mutual_information, standard_error, width
from domain.laboratory.ranks import rank


def pair(seed: int = 1, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = np.round(0.5 * x + rng.normal(size=n), 1)
    x[rng.random(n) < 0.1], y[rng.random(n) < 0.2] = np.nan, np.nan
    return x, y


def test_the_information_coefficient_is_scipys_over_the_rows_both_have():
    x, y = pair()
    both = np.isfinite(x) & np.isfinite(y)
    result = association(rank(x), all_rows(rank(y))).iloc[0]
    assert result["ic"] == pytest.approx(spearmanr(x[both], y[both]).statistic, abs=1e-12)
    assert result["count"] == both.sum()


def test_each_group_is_ranked_anew():
    x, y = pair()
    groups = np.random.default_rng(5).integers(-1, 3, len(x))
    result = association(rank(x), View(rank(y), groups, 3))
    for group in range(3):
        rows = (groups == group) & np.isfinite(x) & np.isfinite(y)
        assert result["ic"][group] == pytest.approx(spearmanr(x[rows], y[rows]).statistic, abs=1e-12)


def test_a_view_forgets_the_rows_of_the_feature_before():
    x, y = pair()
    z, view = np.random.default_rng(8).normal(size=len(x)), all_rows(rank(y))
    association(rank(x), view)
    pd.testing.assert_frame_equal(association(rank(z), view), association(rank(z), all_rows(rank(y))))


def test_the_standard_error_is_that_of_newey_and_west():
    u = np.random.default_rng(2).normal(size=60).cumsum()
    u -= u.mean()
    for steps in (1, 4, 17):
        slow = sum((1 - abs(k) / steps) * sum(u[t] * u[t + k] for t in range(60) if 0 <= t + k < 60) for k in range(-steps + 1, steps))
        assert standard_error(u, steps) == pytest.approx(np.sqrt(slow) / 60, rel=1e-12)


def test_without_overlap_t_is_nearly_the_one_of_independent_rows():
    rng = np.random.default_rng(11)
    x, y = rng.normal(size=(2, 20_000))
    result = association(rank(x), all_rows(rank(y))).iloc[0]
    assert result["t"] == pytest.approx(result["ic"] * np.sqrt(20_000), rel=0.1)


def test_few_rows_or_none_that_vary_give_no_coefficient():
    few, flat = np.r_[np.arange(9.0), np.full(20, np.nan)], np.ones(29)
    line = all_rows(rank(np.arange(29.0)))
    assert association(rank(few), line)[["ic", "t", "p"]].isna().all(axis=None)
    assert association(rank(flat), line)[["ic", "t", "p"]].isna().all(axis=None)


@pytest.mark.parametrize("slow", [1, 40])
def test_a_p_below_5_percent_comes_in_about_5_of_100_with_overlapping_targets(slow):
    """Where overlap is not allowed for, slow features on 12-bar returns come below it in more than 40 of 100."""
    rng, horizon, n = np.random.default_rng(17), 12, 3_000
    p, naive = [], []
    for _ in range(200):
        x = pd.Series(rng.normal(size=n)).ewm(span=slow).mean().to_numpy()
        y = np.convolve(rng.normal(size=n + horizon - 1), np.ones(horizon), "valid")
        p.append(association(rank(x), all_rows(rank(y), horizon))["p"][0])
        naive.append(spearmanr(x, y).pvalue)
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.095
    assert slow == 1 or np.mean(np.array(naive) < 0.05) > 0.4


def test_the_same_instrument_twice_proves_no_more_than_once():
    rng = np.random.default_rng(4)
    x = rng.normal(size=2_000)
    y = 0.1 * x + rng.normal(size=2_000)
    once = association(rank(x), all_rows(rank(y))).iloc[0]
    twice = association(rank(np.r_[x, x]), all_rows(rank(np.r_[y, y]), place=np.tile(np.arange(2_000), 2))).iloc[0]
    assert twice["ic"] == pytest.approx(once["ic"]) and twice["t"] == pytest.approx(once["t"], rel=1e-9) and twice["p"] == pytest.approx(once["p"])


def test_dependence_is_allowed_for_over_four_times_the_overlap():
    assert width(12, 100) == 48 and width(1, 100) == 4 and width(1, 100_000) == 19


def test_mutual_information_is_the_sum_of_its_definition():
    rng = np.random.default_rng(6)
    x = rng.normal(size=3_000)
    y = x**2 + rng.normal(size=3_000)
    x[:120] = np.nan
    result = mutual_information(rank(x), rank(y), 0, 8, 5)
    both = np.isfinite(x)
    a, b = (pd.qcut(values[both], 8, labels=False) for values in (x, y))
    joint = np.histogram2d(a, b, bins=8)[0] / both.sum()
    slow = sum(joint[i, j] * np.log(joint[i, j] / (joint[i].sum() * joint[:, j].sum())) for i in range(8) for j in range(8) if joint[i, j] > 0)
    assert result["raw"] == pytest.approx(slow, rel=1e-9)
    assert result["bias"] == pytest.approx(((joint > 0).sum() - 15) / (2 * both.sum())) and result["information"] == pytest.approx(result["raw"] - result["bias"])


def test_mutual_information_sees_what_ranks_do_not_and_nothing_where_nothing_is():
    rng = np.random.default_rng(7)
    x, noise = rng.normal(size=(2, 20_000))
    shape = mutual_information(rank(x), rank(np.abs(x) + noise), 0)
    assert shape["information"] > 0.05 and shape["p"] < 1e-6
    nothing = mutual_information(rank(x), rank(noise), 0)
    assert abs(nothing["information"] - nothing["luck"]) < 0.01 and nothing["p"] > 0.05 and nothing["raw"] > 0.05


def test_luck_of_slow_features_and_overlapping_targets_is_taken_off():
    """Both courses are slow, so they share much by luck; Miller and Madow's correction alone leaves it in."""
    rng = np.random.default_rng(9)
    p = []
    for seed in range(40):
        x, y = (pd.Series(rng.normal(size=6_000)).rolling(30, min_periods=1).mean().to_numpy() for _ in range(2))
        result = mutual_information(rank(x), rank(y), seed, 16)
        assert result["luck"] > 0.005
        p.append(result["p"])
    assert np.mean(np.array(p) < 0.05) <= 0.15


def test_mutual_information_draws_the_same_turns_with_the_same_seed():
    x, y = np.random.default_rng(1).normal(size=(2, 1_000))
    assert mutual_information(rank(x), rank(y), 3, 8) == mutual_information(rank(x), rank(y), 3, 8)
    assert mutual_information(rank(x), rank(y), 3, 8)["luck"] != mutual_information(rank(x), rank(y), 4, 8)["luck"]


def test_of_nothing_but_noise_seldom_anything_is_left():
    """Uncorrected, two features in thirty would seem to tell something in most worlds; corrected, one does in about a tenth of the worlds."""
    rng = np.random.default_rng(12)
    p = np.array([[association(rank(x), view)["p"][0] for x in rng.normal(size=(30, 800))] for view in (all_rows(rank(y)) for y in rng.normal(size=(60, 800)))])
    assert ((p < 0.1).sum(axis=1) >= 2).mean() > 0.6
    assert np.mean([(benjamini_hochberg(world) <= 0.1).any() for world in p]) <= 0.2


def test_benjamini_and_hochberg_is_scipys():
    p = np.random.default_rng(3).random(40) ** 3
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p))


def test_more_tried_than_shown_makes_it_harder():
    p = np.array([0.001, 0.02, np.nan])
    np.testing.assert_allclose(benjamini_hochberg(p, tried=20), [0.02, 0.2, np.nan])
