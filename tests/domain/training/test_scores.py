"""Scores against scikit-learn's and scipy's, and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.training import losses
from domain.training.calibration_table import calibration_error, calibration_table, level_table, pair_table, wilson
from domain.training.scores import ONE, auc, outputs_of, pr_auc, rank_ic, scores_of


def binary(seed: int, ties: bool, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    p = draw.uniform(size=n)
    return (draw.uniform(size=n) < p) * 1.0, p.round(1) if ties else p


@pytest.mark.parametrize("ties", [False, True])
def test_scores_of_probabilities_are_those_of_scikit_learn(ties):
    from scipy.stats import spearmanr
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    y, p = binary(3, ties)
    row = scores_of(pd.DataFrame(dict(y=y, p=p)), outputs_of(["p"], "binary"))
    assert row["rows"] == 200 and row["rate"] == y.mean() and not row["reasons"]
    assert row["auc"] == pytest.approx(roc_auc_score(y, p), abs=1e-12)
    assert row["pr_auc"] == pytest.approx(average_precision_score(y, p), abs=1e-12)
    assert row["brier"] == pytest.approx(brier_score_loss(y, p), abs=1e-12)
    assert row["log_loss"] == pytest.approx(log_loss(y, p), abs=1e-9)
    assert row["rank_ic"] == pytest.approx(spearmanr(p, y).statistic, abs=1e-12)


def test_scores_of_classes_are_those_of_scikit_learn():
    from sklearn.metrics import log_loss, roc_auc_score

    draw = np.random.default_rng(5)
    p = draw.dirichlet((2.0, 1.0, 1.0), 300)
    y = np.array([draw.choice(3, p=row) for row in p]) * 1.0
    names = ("target", "stop", "other")
    row = scores_of(pd.DataFrame(dict(y=y, **{f"p_{name}": p[:, k] for k, name in enumerate(names)})), outputs_of([], "classes", names))
    assert row["auc"] == pytest.approx(roc_auc_score(y, p, multi_class="ovr"), abs=1e-12)
    assert row["log_loss"] == pytest.approx(log_loss(y, p), abs=1e-9)
    assert row["brier"] == pytest.approx(np.mean(np.sum((p - np.eye(3)[y.astype(int)]) ** 2, axis=1)), abs=1e-12)
    assert row["accuracy"] == pytest.approx(np.mean(p.argmax(axis=1) == y))
    assert row["rank_ic"] is None and row["reasons"] == dict(rank_ic="Its classes have no order.")


def test_a_direction_has_an_order():
    from scipy.stats import spearmanr

    draw = np.random.default_rng(6)
    p = draw.dirichlet((1.0, 1.0, 1.0), 100)
    y = np.array([draw.choice(3, p=row) for row in p]) * 1.0
    names = ("down", "flat", "up")
    row = scores_of(pd.DataFrame(dict(y=y, **{f"p_{name}": p[:, k] for k, name in enumerate(names)})), outputs_of([], "classes", names))
    assert row["rank_ic"] == pytest.approx(spearmanr(p[:, 2] - p[:, 0], y).statistic)


def test_scores_of_quantiles_are_those_of_scikit_learn():
    from scipy.stats import spearmanr
    from sklearn.metrics import mean_pinball_loss

    draw = np.random.default_rng(8)
    y, middle = draw.normal(size=100), draw.normal(size=100)
    frame = pd.DataFrame({"y": y, "q_0.9": middle + 1.2, "q_0.5": middle, "q_0.1": middle - 1.2})
    row = scores_of(frame, outputs_of(list(frame), "number"))
    each = [mean_pinball_loss(y, frame[f"q_{level}"], alpha=level) for level in (0.1, 0.5, 0.9)]
    assert row["pinball"] == pytest.approx(np.mean(each)) and row["crps"] == pytest.approx(2 * (0.25 * each[0] + 0.4 * each[1] + 0.25 * each[2]))
    assert row["coverage"] == np.mean(np.abs(y - middle) <= 1.2) and row["nominal"] == pytest.approx(0.8) and row["width"] == pytest.approx(2.4)
    assert row["rank_ic"] == pytest.approx(spearmanr(middle, y).statistic) and row["mae"] == pytest.approx(np.abs(y - middle).mean())


def test_crps_of_many_quantiles_is_that_of_the_normal_distribution():
    """Its closed form: σ (z (2 Φ(z) − 1) + 2 φ(z) − 1 ÷ √π)."""
    from scipy.stats import norm

    levels, y = (np.arange(999) + 0.5) / 999, np.array([-1.0, 0.3, 2.0])
    assert losses.crps(y, np.tile(norm.ppf(levels), (3, 1)), levels) == pytest.approx(y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi), abs=1e-3)


def test_crps_does_not_fall_because_more_levels_lie_in_the_tails():
    from scipy.stats import norm

    y = norm.ppf((np.arange(2_000) + 0.5) / 2_000)
    for levels in ([0.1, 0.3, 0.5, 0.7, 0.9], [0.9, 0.99, 0.95, 0.5, 0.75, 0.25, 0.1, 0.05, 0.01]):
        assert losses.crps(y, np.tile(norm.ppf(levels), (len(y), 1)), levels).mean() == pytest.approx(1 / np.sqrt(np.pi), rel=0.05)


def test_a_score_that_does_not_exist_has_a_reason():
    row = scores_of(pd.DataFrame(dict(y=np.ones(20), p=np.linspace(0.1, 0.9, 20))), outputs_of(["p"], "binary"))
    assert row["auc"] is None and row["pr_auc"] is None and row["reasons"]["auc"] == ONE
    assert row["rank_ic"] is None and row["reasons"]["rank_ic"] == "All labels are the same." and row["brier"] is not None
    none = scores_of(pd.DataFrame(dict(y=[], p=[])), outputs_of(["p"], "binary"))
    assert none["rows"] == 0 and {none[name] for name in none["reasons"]} == {None} and set(none["reasons"].values()) == {"There are no rows."}
    flat = scores_of(pd.DataFrame(dict(y=np.arange(20.0), value=np.zeros(20))), outputs_of(["value"], "number"))
    assert flat["rank_ic"] is None and flat["reasons"] == dict(rank_ic="All predictions are the same.")
    assert scores_of(pd.DataFrame({"y": [1.0], "q_0.5": [1.0]}), outputs_of(["q_0.5"], "number"))["reasons"]["coverage"] == "No two levels are τ and 1 − τ."


def test_a_score_that_knows_nothing():
    y = np.array([0.0, 1.0, 1.0, 0.0, 0.0])
    assert auc(y, np.zeros(5)) == 0.5 and pr_auc(y, np.zeros(5)) == pytest.approx(0.4) and rank_ic(np.zeros(12), np.arange(12.0)) == "All predictions are the same."


def test_what_is_certain_and_wrong_costs_much_and_not_infinitely_much():
    from sklearn.metrics import log_loss

    y, p = np.array([1.0, 0.0]), np.array([0.0, 0.0])
    assert losses.log_loss(y, p).mean() == pytest.approx(log_loss(y, p, labels=[0, 1]))


def test_calibration_by_hand():
    y, p = np.array([0.0, 1.0] * 5 + [1.0] * 10), np.array([0.3] * 10 + [0.8] * 10)
    low, high = calibration_table(y, p, 2)
    assert (low["count"], low["predicted"], low["observed"]) == (10, pytest.approx(0.3), 0.5)
    assert (high["count"], high["predicted"], high["observed"], high["observed_high"]) == (10, pytest.approx(0.8), 1.0, pytest.approx(1.0))
    assert calibration_error(y, p, 2) == pytest.approx((0.2 + 0.2) / 2)


def test_bins_hold_about_equal_numbers():
    y, p = binary(1, False, 1_000)
    assert [row["count"] for row in calibration_table(y, p)] == [100] * 10


def test_wilson_is_that_of_scipy():
    from scipy.stats import binomtest

    for count, n in ((0, 10), (3, 17), (17, 17)):
        expected = binomtest(count, n).proportion_ci(method="wilson")
        assert wilson(count / n, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_coverage_of_each_pair_and_level():
    y, quantiles = np.array([-2.0, 0.0, 0.5, 3.0]), np.tile([-1.0, 0.0, 1.0], (4, 1))
    (row,) = pair_table(y, quantiles, (0.1, 0.5, 0.9), ((0, 2),))
    assert (row["coverage"], row["below"], row["above"], row["width"], row["nominal"]) == (0.5, 0.25, 0.25, 2.0, pytest.approx(0.8))
    assert [row["observed"] for row in level_table(y, quantiles, (0.1, 0.5, 0.9))] == [0.25, 0.5, 0.75]
