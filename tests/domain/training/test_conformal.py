"""Margins of quantiles against a slow reading of their definition, and the coverage that the adaptive ones promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from domain.training.conformal import Conformal, conformal_from, in_order

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)


def slow(levels, quantiles, y, start, end, first, gamma, window=2_000):
    """Straight from the sentences of the issue, for rows in the order of their start; ``first``: scores of the calibration part by level pair."""
    pairs = [(k, len(levels) - 1 - k) for k in range(len(levels) // 2)]
    scores, alpha, rows, counted = [list(part) for part in first], [2 * levels[low] for low, _ in pairs], [], set()
    for t in range(len(y)):
        for s in sorted((s for s in range(t) if end[s] <= start[t] and s not in counted), key=lambda s: (end[s], s)):
            counted.add(s)
            for p, (low, high) in enumerate(pairs):
                scores[p].append(max(quantiles[s][low] - y[s], y[s] - quantiles[s][high]))
                alpha[p] += gamma * (2 * levels[low] - (y[s] < rows[s][low] or y[s] > rows[s][high]))
        row, surroundings = list(quantiles[t]), (-math.inf, math.inf)
        for p, (low, high) in enumerate(pairs):
            last = sorted(scores[p][-window:])
            k = min(max(math.ceil((len(last) + 1) * (1 - alpha[p])), 1), len(last))
            lo, hi = quantiles[t][low] - last[k - 1], quantiles[t][high] + last[k - 1]
            lo, hi = ((lo + hi) / 2, (lo + hi) / 2) if lo > hi else (lo, hi)
            surroundings = min(max(lo, surroundings[0]), surroundings[1]), max(min(hi, surroundings[1]), min(max(lo, surroundings[0]), surroundings[1]))
            row[low], row[high] = surroundings
            row[low + 1:high] = [min(max(value, surroundings[0]), surroundings[1]) for value in row[low + 1:high]]
        rows.append(row)
    return np.array(rows)


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(5)
    n = 300
    start = np.sort(rng.integers(0, 2_000, n)) * 10
    end = start + rng.integers(0, 400, n)
    quantiles = in_order(rng.normal(size=(n, 5)))[0]
    return quantiles, rng.normal(size=n), start, end


def test_margins_are_those_of_the_definition(drawn):
    quantiles, y, start, end = drawn
    conformal = Conformal(LEVELS, "adaptive", 0.05).start(quantiles[:40], y[:40], end[:40])
    first = [[max(quantiles[s][low] - y[s], y[s] - quantiles[s][4 - low]) for s in np.argsort(end[:40], kind="stable")] for low in (0, 1)]
    expected = slow(LEVELS, quantiles[40:].tolist(), y[40:].tolist(), start[40:], end[40:], first, 0.05)
    assert conformal.intervals(quantiles[40:], y[40:], start[40:], end[40:]) == pytest.approx(expected, abs=1e-12)


def test_labels_that_have_not_ended_change_nothing(drawn):
    quantiles, y, start, end = drawn
    state = Conformal(LEVELS).start(quantiles[:40], y[:40], end[:40]).values()
    full = conformal_from(state).intervals(quantiles, y, start, end)
    cut = start[200]
    unknown = np.where(end > cut, np.nan, y)
    until = start <= cut
    assert np.array_equal(full[until], conformal_from(state).intervals(quantiles[until], unknown[until], start[until], end[until]))


def test_split_never_moves_and_none_changes_nothing(drawn):
    quantiles, y, start, end = drawn
    split = Conformal((0.1, 0.5, 0.9), "split").start(quantiles[:99, 1:4], y[:99], end[:99])
    widened = split.intervals(quantiles[:, 1:4], y, start, end)
    scores = np.sort(np.maximum(quantiles[:99, 1] - y[:99], y[:99] - quantiles[:99, 3]))
    assert np.allclose(widened[:, 0], quantiles[:, 1] - scores[79]) and np.allclose(widened[:, 2], quantiles[:, 3] + scores[79])     # k = ⌈100 × 0.8⌉
    assert np.array_equal(Conformal((0.1, 0.9), "none").start(quantiles[:, 1:4:2], y, end).intervals(quantiles[:, 1:4:2], y, start, end), quantiles[:, 1:4:2])


def test_lower_above_upper_meets_midway():
    conformal = Conformal((0.1, 0.5, 0.9), "split").start(np.tile([-9.0, 0.0, 9.0], (20, 1)), np.zeros(20), np.arange(20))
    assert conformal.intervals(np.array([[-1.0, 0.5, 3.0]]), np.zeros(1), np.zeros(1), np.zeros(1)).tolist() == [[1.0, 1.0, 1.0]]


def test_a_worthless_forecast_that_drifts_is_still_covered():
    """|mean miss − α| ≤ (1 + γ)/(γ n) for any forecast, as long as margins may grow; here with slack for labels that come late."""
    n, gamma = 8_000, 0.05
    y = np.random.default_rng(1).normal(size=n) * np.linspace(1, 6, n)
    quantiles = np.tile([-0.01, 0.0, 0.01], (n, 1))
    at = np.arange(n)
    widened = Conformal((0.1, 0.5, 0.9), "adaptive", gamma).start(quantiles[:500], y[:500], at[:500]).intervals(quantiles, y, at, at + 12)
    assert abs(((y >= widened[:, 0]) & (y <= widened[:, 2])).mean() - 0.8) < 0.01


def test_state_goes_on_where_it_was_and_holds_2000_scores():
    n = 3_000
    y = np.random.default_rng(2).normal(size=n)
    quantiles = np.tile([-1.0, 1.0], (n, 1))
    conformal = Conformal((0.1, 0.9)).start(quantiles, y, np.arange(n))
    assert conformal.values()["scores"] == [np.abs(y[1_000:] / 1.0).__sub__(1.0).tolist()]
    again = conformal_from(conformal.values())
    assert np.array_equal(again.intervals(quantiles[:5], y[:5], np.arange(5), np.arange(5)), conformal.intervals(quantiles[:5], y[:5], np.arange(5), np.arange(5)))
