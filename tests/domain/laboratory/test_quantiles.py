"""Quantiles against pandas, and their intervals against what is known of means."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.laboratory.quantiles import blocks, by_quantile
from domain.laboratory.ranks import rank


def table(x, y, overlap=1, **choice):
    return by_quantile(rank(x), x, y, blocks(y, overlap, **choice))


def test_means_win_rates_and_limits_are_those_of_pandas():
    rng = np.random.default_rng(1)
    x = rng.normal(size=5_000)
    y = 0.2 * x + rng.normal(size=5_000)
    x[:45], y[-55:] = np.nan, np.nan
    result, line = table(x, y)
    both = pd.DataFrame(dict(x=x, y=y)).dropna()
    groups = both.groupby(pd.qcut(both["x"], 10, labels=False))
    np.testing.assert_allclose(result["mean"], groups["y"].mean())
    np.testing.assert_allclose(result["win_rate"], groups["y"].agg(lambda own: (own > 0).mean()))
    np.testing.assert_array_equal(result[["low", "high", "count"]], groups["x"].agg(["min", "max", "size"]))
    assert line["monotonicity"] == pytest.approx(groups["y"].mean().corr(pd.Series(range(10)), method="spearman"))
    assert line["spread"] == pytest.approx(groups["y"].mean()[9] - groups["y"].mean()[0]) and line["spread_p"] < 1e-9 and line["monotonicity_p"] < 0.01


@pytest.mark.parametrize("n", [3_000, 12_000])
def test_intervals_of_independent_values_are_those_of_a_mean(n):
    rng = np.random.default_rng(2)
    result, _ = table(rng.normal(size=n), rng.normal(size=n), resamples=1_000)
    width = (result["mean_high"] - result["mean_low"]).mean()
    assert width == pytest.approx(2 * 1.96 / np.sqrt(n / 10), rel=0.08)
    assert (result["win_high"] - result["win_low"]).mean() == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(n / 10), rel=0.08)


def test_intervals_hold_the_truth_about_as_often_as_they_say_when_targets_overlap():
    """Twelve neighbours share time and the feature is slow. Blocks of one value would hold it in under 70 of 100."""
    rng, horizon, n = np.random.default_rng(5), 12, 3_000
    hits, short = [], []
    for seed in range(40):
        x = pd.Series(rng.normal(size=n)).ewm(span=50).mean().to_numpy()
        y = np.convolve(rng.normal(size=n + horizon - 1), np.ones(horizon), "valid")
        for coverage, overlap in ((hits, horizon), (short, 1)):
            result, _ = by_quantile(rank(x), x, y, blocks(y, overlap, 200, seed, 0 if overlap > 1 else 1), 5)
            coverage.append(((result["mean_low"] <= 0) & (result["mean_high"] >= 0)).mean())
    assert 0.86 <= np.mean(hits) <= 0.99
    assert np.mean(short) < 0.7


def test_every_draw_takes_whole_blocks_and_at_least_as_many_values_as_there_are():
    drawn = blocks(np.random.default_rng(1).normal(size=1_000), 12, 50)
    assert drawn.length == 24
    assert (drawn.weights.sum(axis=1) == 42 * 24).all() and drawn.weights.min() >= 0
    assert abs(drawn.weights.mean(axis=0) - drawn.weights.mean()).max() < 0.8       # the circle has no end: none is drawn more rarely


def test_neighbours_are_drawn_together():
    drawn = blocks(np.zeros(2_000), 40, 300)
    a, b, far = drawn.weights[:, 500], drawn.weights[:, 501], drawn.weights[:, 700]
    assert np.corrcoef(a, b)[0, 1] > 0.95 and abs(np.corrcoef(a, far)[0, 1]) < 0.3


def test_long_columns_are_drawn_by_stretches_of_equal_length():
    drawn = blocks(np.zeros(100_000), 5)
    assert drawn.weights.shape[1] <= 8_192 and np.bincount(drawn.cell).max() == 13 and drawn.length >= 47


def test_rows_of_one_moment_are_drawn_together():
    drawn = blocks(np.zeros(200), 1, place=np.tile(np.arange(100), 2))
    np.testing.assert_array_equal(drawn.cell[:100], drawn.cell[100:])


def test_the_same_seed_draws_the_same_blocks():
    y = np.arange(500.0)
    assert (blocks(y, 3, 20, 1).weights == blocks(y, 3, 20, 1).weights).all()
    assert not (blocks(y, 3, 20, 1).weights == blocks(y, 3, 20, 2).weights).all()


def test_blocks_shorter_than_the_overlap_are_refused():
    with pytest.raises(BadRequest, match="shorter than the 12"):
        blocks(np.arange(500.0), 12, length=5)


def test_a_feature_of_two_values_has_two_quantiles():
    rng = np.random.default_rng(3)
    x = (rng.random(1_000) < 0.5) * 1.0
    y = x + rng.normal(size=1_000)
    result, line = table(x, y)
    filled = result[result["count"] > 0]
    assert len(filled) == 2 and result.loc[result["count"] == 0, "mean":].isna().all(axis=None)
    assert line["spread"] == pytest.approx(y[x == 1].mean() - y[x == 0].mean())
    assert np.isnan(line["monotonicity"])


def test_a_feature_without_values_has_no_figures():
    result, line = table(np.full(300, np.nan), np.ones(300))
    assert (result["count"] == 0).all() and np.isnan(list(line.values())).all()
