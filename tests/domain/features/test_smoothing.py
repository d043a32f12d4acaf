"""Averages that remember everything: as their sentences say, and the same bits however the bars come in."""

from __future__ import annotations

import numpy as np
import pytest

from domain.features.trend import ema, kama
from domain.features.volatility import atr, atr_share

BARS, WINDOW = 4_000, 5


def prices(gaps: bool) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    close = 1.1 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, BARS)))
    columns = dict(high=close * (1 + rng.uniform(0.0, 1e-4, BARS)), low=close * (1 - rng.uniform(0.0, 1e-4, BARS)), close=close)
    missing = rng.random(BARS) < (0.02 if gaps else 0.0)
    missing[:20] = False
    return {name: np.where(missing, np.nan, values) for name, values in columns.items()}


def _ema(bars, state):
    return ema(bars["close"], window=WINDOW, state=state)


def _atr(bars, state):
    return atr(bars["high"], bars["low"], bars["close"], window=WINDOW, state=state)


def _kama(bars, state):
    return kama(bars["close"], window=WINDOW, state=state)


AVERAGES = {"ema": (_ema, 5), "atr": (_atr, 6), "kama": (_kama, WINDOW + 6)}


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("name", AVERAGES)
def test_bars_in_parts_of_any_length_give_the_same_bits(name, gaps):
    average, places = AVERAGES[name]
    bars, rng = prices(gaps), np.random.default_rng(5)
    full = average(bars, np.zeros(places))
    for longest in (1, 7, 1_500):
        state, parts, at = np.zeros(places), [], 0
        while at < BARS:
            step = int(rng.integers(1, longest + 1))
            parts.append(average({key: values[at : at + step].copy() for key, values in bars.items()}, state))
            at += step
        np.testing.assert_array_equal(np.concatenate(parts), full)
    assert np.isfinite(full).sum() > BARS / 2


@pytest.mark.parametrize("gaps", [False, True])
def test_an_exponential_average_goes_its_step_towards_each_known_value(gaps):
    close = prices(gaps)["close"]
    level, count, expected = 0.0, 0, []
    for value in close:
        if np.isnan(value):
            expected.append(np.nan)
            continue
        count += 1
        level = level + (value - level) / count if count <= WINDOW else level + (value - level) * 2 / (WINDOW + 1)
        expected.append(level if count >= WINDOW else np.nan)
    np.testing.assert_allclose(ema(close, window=WINDOW), expected, rtol=1e-13)


def test_an_average_true_range_goes_a_share_of_its_window_towards_each_range():
    bars = prices(gaps=False)
    high, low, close = (bars[name] for name in ("high", "low", "close"))
    ranges = np.array([max(high[i], close[i - 1]) - min(low[i], close[i - 1]) for i in range(1, BARS)])
    expected = [np.nan] * WINDOW + [ranges[:WINDOW].mean()]
    for value in ranges[WINDOW:]:
        expected.append(expected[-1] + (value - expected[-1]) / WINDOW)
    computed = atr(high, low, close, window=WINDOW)
    np.testing.assert_allclose(computed, expected, rtol=1e-12)
    np.testing.assert_array_equal(computed / close, atr_share(close, np.concatenate([[np.nan], ranges]), window=WINDOW))


def test_kaufmans_average_goes_the_square_of_its_step_towards_each_close():
    close = prices(gaps=False)["close"]
    fast, slow = 2 / 3, 2 / 31
    expected, level = [np.nan] * WINDOW, close[WINDOW - 1]
    for i in range(WINDOW, BARS):
        straight = abs(close[i] - close[i - WINDOW]) / np.abs(np.diff(close[i - WINDOW : i + 1])).sum()
        level += (close[i] - level) * (straight * (fast - slow) + slow) ** 2
        expected.append(level)
    np.testing.assert_allclose(kama(close, window=WINDOW), expected, rtol=1e-13)


@pytest.mark.parametrize("average", [ema, kama])
def test_equal_closes_have_exactly_their_price_as_average(average):
    values = average(np.full(300, 1.1), window=7)
    assert (values[~np.isnan(values)] == 1.1).all() and np.isfinite(values).sum() >= 293
