"""Drift against scipy, and PSI against its sum."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from domain.laboratory.drift import DriftReference, drift_of, effective_count, level_of
from domain.laboratory.ranks import rank

N = 3_000
MONTHS = 600 + np.arange(N) // 250
LATE = np.arange(N) >= 2_400


def drift_of_values(values: np.ndarray, *masks: np.ndarray) -> tuple[dict, pd.DataFrame]:
    return drift_of(rank(values), *masks)


def slow_psi(late: np.ndarray, before: np.ndarray) -> float:
    edges = [-np.inf, *np.unique(np.sort(before)[[k * len(before) // 10 for k in range(1, 10)]]), np.inf]
    total, bins = 0.0, len(edges) - 1
    for low, high in pairwise(edges):
        a, b = (((values >= low) & (values < high)).sum() + 0.5 for values in (late, before))
        a, b = a / (len(late) + bins / 2), b / (len(before) + bins / 2)
        total += (a - b) * np.log(a / b)
    return total


@pytest.mark.parametrize("ties", [False, True])
def test_ks_is_scipys_and_psi_the_sum_over_deciles_of_the_reference(ties):
    rng = np.random.default_rng(1)
    values = rng.normal(size=N) + 0.1 * LATE
    values = np.round(values) if ties else values
    values[::17] = np.nan
    facts, history = drift_of_values(values, ~LATE, LATE, MONTHS)
    valid = np.isfinite(values)
    result = ks_2samp(values[LATE & valid], values[~LATE & valid], method="asymp")
    assert facts["ks"] == pytest.approx(result.statistic, abs=1e-12) and facts["p"] == pytest.approx(result.pvalue, rel=1e-9)
    for row in history.itertuples():
        own = values[(row.month == MONTHS) & valid]
        assert row.ks == pytest.approx(ks_2samp(own, values[~LATE & valid]).statistic, abs=1e-12) and row.count == len(own)
        assert row.psi == pytest.approx(slow_psi(own, values[~LATE & valid]), rel=1e-9)
    assert facts["psi"] == pytest.approx(slow_psi(values[LATE & valid], values[~LATE & valid]), rel=1e-9)


def test_the_same_distribution_has_no_drift_and_a_shift_has_a_strong_one():
    values = np.random.default_rng(3).normal(size=N)
    same, _ = drift_of_values(values, ~LATE, LATE, MONTHS)
    moved, history = drift_of_values(values + LATE, ~LATE, LATE, MONTHS)
    assert same["level"] == "none" and same["psi"] < 0.05 and same["p"] > 0.05
    assert moved["level"] == "strong" and moved["psi"] > 0.5 and moved["p_effective"] < 1e-6
    assert (history["psi"][history["month"] < 609] < 0.2).all() and (history["psi"][history["month"] > 609] > 0.5).all()


def test_levels_begin_at_a_tenth_and_a_quarter():
    assert [level_of(psi) for psi in (0.09, 0.1, 0.24, 0.25, np.nan)] == ["none", "some", "some", "strong", "unknown"]


def test_slow_features_do_not_drift_because_their_bars_hang_together():
    rng = np.random.default_rng(4)
    plain, effective = [], []
    for _ in range(60):
        values = pd.Series(rng.normal(size=N)).ewm(span=60).mean().to_numpy()
        facts, _ = drift_of_values(values, ~LATE, LATE, MONTHS)
        plain.append(facts["p"] < 0.05)
        effective.append(facts["p_effective"] < 0.05)
    assert np.mean(plain) > 0.8 and np.mean(effective) < 0.15


def test_independent_values_all_count():
    assert effective_count(np.random.default_rng(1).normal(size=5_000)) > 4_700
    assert effective_count(np.ones(100)) == 100


def test_few_values_say_nothing():
    values = np.where(np.arange(N) < 2_970, 1.0 * np.arange(N), np.nan)
    facts, history = drift_of_values(values, ~LATE, np.arange(N) >= 2_950, MONTHS)
    assert facts["level"] == "unknown" and np.isnan(facts["psi"]) and facts["recent"] == 20
    assert len(drift_of_values(np.full(N, np.nan), ~LATE, LATE, MONTHS)[1]) == 0 and len(history) == 12


def test_a_value_beyond_all_of_the_reference_is_as_far_as_can_be():
    assert DriftReference(np.array([0, 1]), 4).distances(np.array([2, 3]), np.array([0])).tolist() == [1.0]
