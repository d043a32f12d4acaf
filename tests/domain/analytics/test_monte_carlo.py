"""Resampled paths: repeatable, in parts, and with the statistics of a bootstrap."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from domain.analytics import MonteCarloConfig, automatic_block, bands, draw, histogram, merge, monte_carlo_of
from domain.errors import BadRequest, UnknownName
from domain.params import build

R = np.random.default_rng(1).normal(0.2, 1.0, 150)


@pytest.mark.parametrize("plan", [MonteCarloConfig(paths=53, block=4.0), MonteCarloConfig(paths=53, method="skip"), MonteCarloConfig(paths=53, block=1.0, risk=0.01), MonteCarloConfig(paths=53)])
def test_parts_in_any_order_are_the_same_bytes_as_the_whole(plan):
    paths = draw(R, plan)
    parts = [draw(R, plan, part=part, parts=5) for part in (3, 0, 4, 1, 2)]
    merged = merge(parts)
    assert all(merged[name].to_numpy().tobytes() == paths[name].to_numpy().tobytes() for name in paths)
    with pytest.raises(BadRequest, match="draw each part once"):
        merge(parts[1:])


def test_the_seed_and_nothing_else_chooses_the_paths():
    pd.testing.assert_frame_equal(draw(R, MonteCarloConfig(paths=20, seed=7)), draw(R, MonteCarloConfig(paths=20, seed=7)))
    assert not np.allclose(draw(R, MonteCarloConfig(paths=20, seed=7))["final"], draw(R, MonteCarloConfig(paths=20, seed=8))["final"])


def test_a_path_adds_up_to_its_own_figures():
    draws = draw(R, MonteCarloConfig(paths=30, block=5.0))
    points = draws.filter(regex=r"^p\d").to_numpy()
    assert points.shape[1] == 151 and (points[:, 0] == 0).all()                # short enough to keep every step
    steps = np.diff(points, axis=1)
    assert np.isin(steps.round(9), R.round(9)).all()                            # only results that were there
    np.testing.assert_allclose(points[:, -1], draws["final"])
    np.testing.assert_allclose((points - np.maximum.accumulate(points, axis=1)).min(axis=1), draws["max_drawdown"])


def test_compounding_multiplies_and_measures_falls_in_shares():
    draws = draw(R, MonteCarloConfig(paths=30, block=5.0, risk=0.02))
    grown = 1 + draws.filter(regex=r"^p\d").to_numpy()
    assert np.isin((np.diff(grown) / grown[:, :-1]).round(9), (0.02 * R).round(9)).all()
    np.testing.assert_allclose((grown / np.maximum.accumulate(grown, axis=1) - 1).min(axis=1), draws["max_drawdown"])
    days = draw(0.02 * R, MonteCarloConfig(paths=30, block=5.0), kind="days")
    np.testing.assert_allclose(days, draws, rtol=1e-12)


def test_blocks_have_the_requested_mean_length_and_wrap_around_the_end():
    order = np.arange(500.0)
    points = draw(order, MonteCarloConfig(paths=200, block=8.0)).filter(regex=r"^p\d").to_numpy()
    assert points.shape[1] == 201                                               # thinned
    drawn = np.diff(draw(np.arange(190.0), MonteCarloConfig(paths=400, block=8.0)).filter(regex=r"^p\d").to_numpy(), axis=1)
    goes_on = ((drawn[:, 1:] - drawn[:, :-1]) % 190).round(6) == 1
    assert goes_on.mean() == pytest.approx(1 - 1 / 8, abs=0.01)
    assert ((drawn[:, :-1] == 189) & (drawn[:, 1:] == 0)).any()
    counts = np.bincount(drawn.astype(int).ravel(), minlength=190)
    assert counts.min() > 0.7 * counts.mean() and counts.max() < 1.3 * counts.mean()       # each step equally often


def test_skipping_leaves_out_the_requested_share_and_preserves_the_order():
    ones = np.ones(190)
    draws = draw(ones, MonteCarloConfig(paths=300, method="skip", skip=0.25))
    assert draws["final"].mean() == pytest.approx(0.75 * 190, rel=0.01) and (draws["max_drawdown"] == 0).all()
    assert monte_carlo_of(R, MonteCarloConfig(paths=20, method="skip", skip=0.0)).final["q05"] == pytest.approx(R.sum())


def test_the_bootstrap_of_the_sum_has_the_spread_that_theory_gives():
    final = draw(R, MonteCarloConfig(paths=3_000, block=1.0))["final"]
    assert final.mean() == pytest.approx(R.sum(), abs=4 * R.std() * np.sqrt(150 / 3_000))
    assert final.std() == pytest.approx(R.std() * np.sqrt(150), rel=0.05)


def test_bands_and_figures_are_quantiles_of_the_paths():
    plan = MonteCarloConfig(paths=200, block=3.0)
    draws, result = draw(R, plan), monte_carlo_of(R, plan)
    table = bands(draws, len(R))
    assert table["step"].tolist() == list(range(151)) and (table[["q05", "q25", "q50", "q75", "q95"]].diff(axis=1).iloc[1:, 1:] >= 0).all(axis=None)
    assert table["q05"].iloc[-1] == pytest.approx(result.final["q05"]) == pytest.approx(np.quantile(draws["final"], 0.05))
    assert result.chance_of_loss == (draws["final"] < 0).mean() and result.max_drawdown["q50"] == pytest.approx(draws["max_drawdown"].median())
    line = np.concatenate(([0.0], np.cumsum(R)))
    assert (result.observed_final, result.observed_drawdown) == (pytest.approx(R.sum()), pytest.approx((line - np.maximum.accumulate(line)).min()))
    assert histogram(draws["final"], 7)["paths"].sum() == 200
    json.dumps(dataclasses.asdict(result), allow_nan=False)


def test_an_account_that_can_be_lost_is_lost_and_stays_lost():
    sample = np.array([0.5, -1.0])
    result = monte_carlo_of(np.tile(sample, 20), MonteCarloConfig(paths=50, risk=1.0, block=1.0))
    assert (result.final["q95"], result.max_drawdown["q95"], result.chance_of_loss) == (-1.0, -1.0, 1.0)
    deeper = draw(np.array([1.0, -3.0] * 10), MonteCarloConfig(paths=20, risk=0.5, block=1.0))
    assert deeper["final"].min() == -1.0 and deeper.notna().all(axis=None)


@pytest.mark.parametrize(("rho", "seed"), [(0.5, 1), (0.3, 2), (0.7, 3)])
def test_the_automatic_block_is_near_the_one_that_theory_gives_for_an_autoregression(rho, seed):
    n, rng = 4_000, np.random.default_rng(seed)
    lengths = []
    for _ in range(15):
        noise, series = rng.normal(size=n), np.zeros(n)
        for at in range(1, n):
            series[at] = rho * series[at - 1] + noise[at]
        lengths.append(automatic_block(series))
    assert np.median(lengths) == pytest.approx((2 * rho / (1 - rho**2)) ** (2 / 3) * n ** (1 / 3), rel=0.25)


def test_independent_results_are_drawn_one_by_one():
    rng = np.random.default_rng(5)
    assert np.mean([automatic_block(rng.normal(size=400)) <= 3 for _ in range(100)]) > 0.8
    assert automatic_block(np.ones(50)) == 1.0 and automatic_block(np.array([1.0, 2.0])) == 1.0


def test_what_cannot_be_drawn_is_refused_in_words():
    with pytest.raises(BadRequest, match="have no number"):
        draw(np.array([1.0, np.nan]), MonteCarloConfig())
    with pytest.raises(BadRequest, match="at least one"):
        draw(np.array([]), MonteCarloConfig())
    with pytest.raises(UnknownName, match="did you mean 'trades'"):
        draw(R, MonteCarloConfig(), kind="trade")
    with pytest.raises(BadRequest, match="between 10 and 100000"):
        build(MonteCarloConfig, dict(paths=5))
