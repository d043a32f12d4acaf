"""Which map is fitted, and that it is the one that others fit."""

from __future__ import annotations

import numpy as np
import pytest

from domain.training.calibration import calibrate, calibration_from


def drawn(n: int, share: float, seed: int = 3):
    rng = np.random.default_rng(seed)
    raw = rng.uniform(0.05, 0.95, n)
    return raw, (rng.uniform(size=n) < raw ** 2 * share / 0.33).astype(np.float64)


@pytest.mark.parametrize("n, positives, kind", [(1_000, 100, "isotonic"), (999, 400, "sigmoid"), (2_000, 99, "sigmoid"), (2_000, 1_901, "sigmoid"), (2_000, 1_900, "isotonic"), (50, 0, "none")])
def test_isotonic_from_1000_samples_with_100_of_the_rarer_class(n, positives, kind):
    happened = np.zeros(n)
    happened[:positives] = 1.0
    assert calibrate(np.linspace(0.1, 0.9, n), happened).kind == kind


def test_isotonic_is_the_pool_of_adjacent_violators():
    raw, happened = drawn(2_000, 0.4)
    calibration = calibrate(raw, happened)
    order = np.argsort(raw)
    blocks: list[list[float]] = []
    for value in happened[order]:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            mean, count = blocks.pop()
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * count) / (blocks[-1][1] + count), blocks[-1][1] + count]
    expected = np.concatenate([np.full(int(count), mean) for mean, count in blocks])
    assert np.allclose(calibration(raw[order]), np.clip(expected, 1 / 2_002, 2_001 / 2_002), atol=1e-9)


def test_sigmoid_is_the_least_log_loss_of_smoothed_targets():
    from scipy.optimize import minimize

    raw, happened = drawn(600, 0.3)
    calibration = calibrate(raw, happened)
    logit = np.log(raw / (1 - raw))
    up, down = (happened.sum() + 1) / (happened.sum() + 2), 1 / ((1 - happened).sum() + 2)
    target = np.where(happened > 0, up, down)
    best = minimize(lambda point: (np.logaddexp(0, point[0] * logit + point[1]) - target * (point[0] * logit + point[1])).sum(), [1.0, 0.0], tol=1e-12)
    assert calibration.x == pytest.approx(best.x, abs=1e-4)


def test_values_read_back_give_the_same_numbers_and_none_is_certain():
    for n in (600, 2_000):
        raw, happened = drawn(n, 0.3)
        calibration = calibrate(raw, happened)
        rows = np.linspace(0, 1, 101)
        assert np.array_equal(calibration_from(calibration.values())(rows), calibration(rows))
        assert (np.diff(calibration(rows)) >= 0).all() and calibration(rows).min() > 0 and calibration(rows).max() < 1


def test_a_sigmoid_never_turns_the_order_round_and_then_gives_the_share_that_happened():
    """Where the higher ones happened more seldom, all are the same: 70 of 100, and not what the other end of a falling line would give."""
    raw = np.linspace(0.55, 0.65, 100)
    calibration = calibrate(raw, (np.arange(100) < 70).astype(np.float64))
    assert np.ptp(calibration(raw)) == 0.0 and calibration(raw)[0] == pytest.approx(0.7, abs=0.01)
