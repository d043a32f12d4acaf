"""Statistics of sliding windows against the same written for one window, and what they say at the edges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from domain.features.kernels import extremes, windows

RNG = np.random.default_rng(11)
LONG = 100 + np.cumsum(RNG.normal(0, 1, 2_500))      # longer than two chunks
SIZES = (1, 2, 3, 7, 14, 20, 64, 129)
DEFINED: dict[str, tuple[Callable, Callable]] = {
    "mean": (windows.means, np.mean),
    "deviation": (lambda values, window: windows.deviations(values, window, 0), np.std),
    "sample deviation": (lambda values, window: windows.deviations(values, window, 1), lambda seen: np.std(seen, ddof=1) if len(seen) > 1 else np.nan),
    "squares": (lambda values, window: windows.moments(values, window)[1], lambda seen: np.var(seen) * len(seen)),
    "slope": (windows.slopes, lambda seen: np.polyfit(np.arange(len(seen)), seen, 1)[0] if len(seen) > 1 else np.nan),
    "highest": (extremes.highest, np.max),
    "lowest": (extremes.lowest, np.min),
    "score": (windows.scores, lambda seen: (seen[-1] - seen.mean()) / seen.std() if np.ptp(seen) else 0.0),
    "distance score": (windows.distance_scores, lambda seen: (seen[-1] - seen.mean()) / np.abs(seen - seen.mean()).mean() if np.ptp(seen) else 0.0),
}


@pytest.mark.parametrize("window", SIZES)
@pytest.mark.parametrize("name", DEFINED)
def test_a_statistic_is_that_of_its_window(name, window):
    statistic, definition = DEFINED[name]
    places = [*range(window - 1, window + 9), *range(1_015, 1_035), *range(2_480, 2_500)]
    got = statistic(LONG, window)
    assert np.isnan(got[: window - 1]).all()
    np.testing.assert_allclose(got[places], [definition(LONG[i - window + 1 : i + 1]) for i in places], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("window", SIZES)
@pytest.mark.parametrize("name", DEFINED)
def test_a_window_gives_the_same_bits_wherever_it_stands(name, window):
    statistic = DEFINED[name][0]
    full = statistic(LONG, window)
    for i in (window - 1, 700, 1_024, 1_500, 2_499):
        np.testing.assert_array_equal(statistic(LONG[max(i - window + 1, 0) : i + 1], window)[-1], full[i])


@pytest.mark.parametrize("window", SIZES)
def test_equal_values_deviate_by_nothing_after_a_jump(window):
    values = np.r_[np.full(200, 1e6), np.full(200, 1.1)]
    for got, wanted in ((windows.means(values, window), 1.1), (windows.deviations(values, window, 0), 0.0), (windows.scores(values, window), 0.0)):
        assert (got[200 + window - 1 :] == wanted).all()


def test_an_unknown_value_is_unknown_to_its_windows_only():
    values = LONG[:200].copy()
    values[50] = np.nan
    for name, (statistic, _) in DEFINED.items():
        got = statistic(values, 20)
        assert np.isnan(got[50:70]).all(), name
        np.testing.assert_array_equal(got[70:], statistic(LONG[:200], 20)[70:], err_msg=name)


def test_fewer_values_than_a_window_give_none():
    for statistic, _ in DEFINED.values():
        assert len(statistic(LONG[:0], 5)) == 0 and np.isnan(statistic(LONG[:3], 5)).all()
