"""Drift: false alarms of stationary data, power for what moved, coverage and Brier against their distributions.

``TIDEMARK_DRIFT_WORLDS`` random worlds each way, 10 by default, a thousand before a release.
"""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from domain.training.drift import DriftConfig, brier_drift, column_drift, coverage_drift, drift_verdict, expected_brier, independent_share

WORLDS = int(os.environ.get("TIDEMARK_DRIFT_WORLDS", "10"))
TRAINED, WINDOW = 6_000, 500


def autoregressive(draw: np.random.Generator, link: float, n: int) -> np.ndarray:
    from scipy.signal import lfilter

    return lfilter([np.sqrt(1 - link**2)], [1, -link], draw.normal(size=n + 2_000))[2_000:]


def world(seed: int, n: int = TRAINED + WINDOW) -> pd.DataFrame:
    """Stationary columns, fast and slow, of several shapes; one slow beneath noise, one slow in its spread alone."""
    draw = np.random.default_rng(seed)
    slow = autoregressive(draw, 0.99, n)
    columns = {f"ar {link:g}": autoregressive(draw, link, n) for link in (0.0, 0.5, 0.9, 0.97, 0.995)}
    return pd.DataFrame(columns | {
        "beneath noise": draw.normal(size=n) + autoregressive(draw, 0.995, n), "spread": draw.normal(size=n) * np.exp(0.5 * slow),
        "fat": draw.standard_t(3, n), "flag": (draw.uniform(size=n) < 0.1) * 1.0, "hour": np.sin(np.arange(n) * np.pi / 12),
    })  # fmt: skip


def drifted(frame: pd.DataFrame) -> pd.DataFrame:
    values = frame.to_numpy()
    return column_drift(values[:TRAINED], values[TRAINED:], list(frame)).set_index("column")


def test_stationary_columns_alarm_in_at_most_one_check_of_a_hundred():
    alarms = sum((drifted(world(seed))["state"] == "alarm").any() for seed in range(WORLDS))
    assert alarms <= WORLDS // 100


@pytest.mark.parametrize("late", [250, 500])
def test_a_fast_column_that_moved_by_one_deviation_is_found_within_500_bars(late):
    """Also where only half of the window lies after the move; and it is the one that is named."""
    for seed in range(1_000, 1_000 + max(WORLDS // 4, 3)):
        frame = world(seed)
        for name in ("ar 0", "ar 0.5", "fat"):
            moved = frame.copy()
            moved.loc[len(frame) - late :, name] += frame[name].std() * (1 if late == 500 else 2)
            table = drifted(moved)
            assert list(table.index[table["state"] == "alarm"]) == [name]


def test_slow_columns_are_not_judged_and_say_so():
    table = drifted(world(0))
    assert table.loc["ar 0.995", "state"] == "unknown" and "It is slow: the window holds" in table.loc["ar 0.995", "reason"]
    assert table.loc["ar 0", "state"] == "calm" and table.loc["ar 0", "effective"] > 300 and np.isfinite(table.loc["ar 0", "q"])


def test_psi_and_ks_are_those_of_scipy_and_the_sum_over_deciles():
    from scipy.stats import ks_2samp

    draw = np.random.default_rng(4)
    before, late = draw.normal(size=4_000), draw.normal(0.4, 1.0, 300)
    row = column_drift(before[:, None], late[:, None], ["a"]).iloc[0]
    assert row["ks"] == pytest.approx(ks_2samp(before, late).statistic)
    edges = np.sort(before)[[k * 400 for k in range(1, 10)]]
    a, b = (np.bincount(np.searchsorted(edges, values, side="right"), minlength=10) + 0.5 for values in (late, before))
    a, b = a / a.sum(), b / b.sum()
    assert row["psi"] == pytest.approx(((a - b) * np.log(a / b)).sum())


def test_independent_values_of_an_autoregression_are_those_of_its_formula():
    draw = np.random.default_rng(5)
    assert independent_share(draw.normal(size=50_000), 500) > 0.8
    assert independent_share(autoregressive(draw, 0.9, 50_000), 500) == pytest.approx(0.1 / 1.9, rel=0.25)
    assert independent_share(np.zeros(100), 500) == 0.0


def test_what_has_no_values():
    draw = np.random.default_rng(6)
    before, late = draw.normal(size=(2_000, 3)), draw.normal(size=(500, 3))
    late[:, 0], late[40:, 1], before[40:, 2] = np.nan, np.nan, np.nan
    table = column_drift(before, late, ["gone", "few", "new"])
    assert table["state"].tolist() == ["alarm", "unknown", "unknown"] and table["psi"].isna().all()
    assert table["reason"].tolist() == ["It has no values any more.", "It has 40 new values; 50 are needed.", "It had 40 values in training; 50 are needed."]


def test_coverage_is_alarming_outside_the_band_of_the_binomial_distribution():
    from scipy.stats import binom

    draw = np.random.default_rng(7)
    edges = binom.ppf([0.005, 0.995], 500, 0.8) / 500
    states = []
    for _ in range(400):
        y = draw.uniform(size=500)
        row = coverage_drift(y, np.full(500, 0.1), np.full(500, 0.9), 0.8)
        assert (row["low"], row["high"]) == tuple(edges) and (row["state"] == "alarm") == (not edges[0] <= row["coverage"] <= edges[1])
        states.append(row["state"])
    assert states.count("alarm") <= 400 * 0.01 + 6
    assert coverage_drift(draw.uniform(size=500), np.full(500, 0.2), np.full(500, 0.9), 0.8)["state"] == "alarm"


def test_overlapping_labels_widen_the_band():
    y = np.random.default_rng(8).uniform(size=1_200)
    alone, shared = (coverage_drift(y, y * 0 + 0.1, y * 0 + 0.9, 0.8, unique) for unique in (None, np.full(1_200, 0.25)))
    assert shared["effective"] == 300 and shared["high"] - shared["low"] > 1.8 * (alone["high"] - alone["low"])
    few = coverage_drift(y, y, y, 0.8, np.full(1_200, 0.01))
    assert few["state"] == "unknown" and few["coverage"] is None and few["reason"] == "There are 12 independent labels; 50 are needed."


def test_brier_z_is_standard_normal_where_probabilities_are_true():
    draw = np.random.default_rng(9)
    z = []
    for _ in range(400):
        p = draw.uniform(0.2, 0.7, 300)
        z.append(brier_drift((draw.uniform(size=300) < p) * 1.0, p)["z"])
    assert np.mean(z) == pytest.approx(0.0, abs=0.2) and np.std(z) == pytest.approx(1.0, abs=0.12)


def test_brier_is_alarming_where_outcomes_belie_the_probabilities():
    draw = np.random.default_rng(10)
    p = np.where(draw.uniform(size=500) < 0.5, 0.2, 0.8)
    row = brier_drift((draw.uniform(size=500) < 0.5) * 1.0, p)
    assert row["state"] == "alarm" and row["brier"] > row["expected"] == pytest.approx(0.16) and row["z"] > 3
    assert brier_drift((draw.uniform(size=500) < p) * 1.0, p)["state"] == "calm"
    assert brier_drift(np.ones(500), np.full(500, 0.5))["state"] == "unknown" and brier_drift(np.ones(3), np.ones(3))["z"] is None


def judged_by_tests(draw: np.random.Generator, off: float, folds: int = 6, n: int = 400):
    """The true chance of each sample is another one than every fold's model says, by a constant of its own; the new one is ``off`` besides."""
    def outcomes(shift: float):
        truth = draw.uniform(0.1, 0.4, n)
        return np.clip(truth + draw.normal(0, 0.03) + 0.04, 0.01, 0.99), (draw.uniform(size=n) < truth + shift) * 1.0

    tested = pd.concat([pd.DataFrame(dict(p=p, y=y, uniqueness=1.0, fold=fold)) for fold in range(folds) for p, y in [outcomes(0.0)]])
    p, y = outcomes(off)
    return brier_drift(y, p, None, None, tested)


def test_a_model_that_was_never_quite_calibrated_is_judged_by_its_tests():
    """Their own probabilities belie its outcomes as ever; only what is new is an alarm."""
    draw = np.random.default_rng(13)
    stationary = [judged_by_tests(draw, 0.0) for _ in range(3 * WORLDS)]
    assert sum(row["state"] == "alarm" for row in stationary) <= max(3 * WORLDS // 100, 1)
    assert sum(judged_by_tests(draw, 0.35)["state"] == "alarm" for _ in range(10)) >= 9


def test_expected_brier_needs_no_outcomes():
    assert expected_brier(np.array([0.5, 0.5])) == 0.25 and expected_brier(np.zeros(0)) is None


def test_the_verdict_names_what_was_found_and_swaps_nothing():
    draw = np.random.default_rng(11)
    before = draw.normal(size=(2_000, 2))
    table = column_drift(before, draw.normal([0.0, 2.0], 1.0, (500, 2)), ["still", "moved"])
    verdict = drift_verdict(table, [coverage_drift(np.ones(500), np.zeros(500), np.ones(500) * 0.5, 0.8)])
    assert verdict["state"] == "alarm" and len(verdict["alarms"]) == 2 and verdict["sentence"].startswith("Drift: column moved has PSI ") and "(1 more.)" in verdict["sentence"]
    assert "nothing is swapped" in verdict["sentence"]
    calm = drift_verdict(column_drift(before, draw.normal(size=(500, 2)), ["still", "too"]))
    assert calm["state"] == "calm" and calm["sentence"].startswith("No drift: 2 of 2 columns")
    assert drift_verdict(column_drift(before[:9], before[:9], ["still", "too"]))["state"] == "unknown"


def test_bounds_are_the_persons():
    draw = np.random.default_rng(12)
    before, late = draw.normal(size=(2_000, 1)), draw.normal(0.4, 1, (500, 1))
    assert column_drift(before, late, ["a"])["state"][0] == "calm" and column_drift(before, late, ["a"], DriftConfig(psi=0.1))["state"][0] == "alarm"
