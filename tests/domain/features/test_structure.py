"""Structure features against slow loops written from their sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.features import compute, use
from domain.features.stream import Stream
from domain.market.bars import frame

LENGTH = 600


def random_bars(seed: int) -> pd.DataFrame:
    """Prices on a coarse grid, so that highs and lows are often equal, with jumps that leave gaps."""
    rng = np.random.default_rng(seed)
    close = 1_000.0 + np.cumsum(rng.integers(-3, 4, LENGTH))
    open_ = close + rng.integers(-2, 3, LENGTH)
    high, low = np.maximum(open_, close) + rng.integers(0, 2, LENGTH), np.minimum(open_, close) - rng.integers(0, 2, LENGTH)
    return frame(np.arange(LENGTH) * 900_000_000_000, open=open_, high=high, low=low, close=close)


BARS = random_bars(11)
OPEN, HIGH, LOW, CLOSE = (BARS[name].tolist() for name in ("open", "high", "low", "close"))


def column(name: str, frame_of: pd.DataFrame = BARS, **params) -> np.ndarray:
    use_ = use(name, **params)
    return compute(frame_of, [use_])[use_.column].to_numpy()


def swings_by_hand(values: list[float], bars: int) -> list[int]:
    """Which bars are swing highs of these values."""
    return [
        i for i in range(bars, len(values) - bars) if values[i] > max(values[i - bars : i]) and values[i] >= max(values[i + 1 : i + bars + 1])
    ]  # fmt: skip


@pytest.mark.parametrize("bars", (1, 2, 3, 5))
def test_a_swing_is_known_when_the_bars_after_it_have_closed(bars):
    for side, values, sign in (("high", HIGH, 1.0), ("low", LOW, -1.0)):
        result = swings_by_hand([sign * value for value in values], bars)
        assert len(result) > 20
        price, since = column(f"swing_{side}", bars=bars), column(f"bars_since_swing_{side}", bars=bars)
        for i in range(LENGTH):
            confirmed = [swing for swing in result if swing + bars <= i]
            if confirmed:
                assert (price[i], since[i]) == (values[confirmed[-1]], i - confirmed[-1])
            else:
                assert np.isnan(price[i]) and np.isnan(since[i])


def test_of_equal_highs_the_first_is_the_swing():
    high = np.array([1.0, 2.0, 5.0, 5.0, 3.0, 2.0, 1.0])
    plateau = frame(np.arange(7), open=high, high=high, low=high, close=high)
    np.testing.assert_array_equal(column("bars_since_swing_high", plateau, bars=2), [np.nan, np.nan, np.nan, np.nan, 2, 3, 4])


@pytest.mark.parametrize("bars", (1, 3))
def test_a_break_of_structure_is_the_first_close_beyond_the_last_swing(bars):
    highs, lows = swings_by_hand(HIGH, bars), swings_by_hand([-value for value in LOW], bars)
    result, seen = column("break_of_structure", bars=bars), {1.0: 0, -1.0: 0}
    for i in range(LENGTH):
        upper, lower = ([swing for swing in swings if swing + bars <= i] for swings in (highs, lows))
        if not (upper and lower):
            assert np.isnan(result[i])
            continue
        above = [k for k in range(upper[-1] + bars, i + 1) if CLOSE[k] > HIGH[upper[-1]]]
        below = [k for k in range(lower[-1] + bars, i + 1) if CLOSE[k] < LOW[lower[-1]]]
        assert result[i] == (1.0 if above[:1] == [i] else -1.0 if below[:1] == [i] else 0.0)
        seen[result[i]] = seen.get(result[i], 0) + 1
    assert min(seen.values()) > 5


def open_gap(i: int, window: int) -> tuple[float, float]:
    """Signed size and middle of the latest gap that is open at bar i."""
    for t in range(i, max(i - window, 1), -1):
        if LOW[t] > HIGH[t - 2] and all(LOW[k] > HIGH[t - 2] for k in range(t + 1, i + 1)):
            return LOW[t] - HIGH[t - 2], (LOW[t] + HIGH[t - 2]) / 2
        if HIGH[t] < LOW[t - 2] and all(HIGH[k] < LOW[t - 2] for k in range(t + 1, i + 1)):
            return HIGH[t] - LOW[t - 2], (HIGH[t] + LOW[t - 2]) / 2
    return 0.0, np.nan


@pytest.mark.parametrize("window", (1, 4, 100))
def test_a_fair_value_gap_is_the_latest_that_no_bar_has_filled(window):
    wanted = np.array([open_gap(i, window) for i in range(LENGTH)])
    assert all(((wanted[:, 0] > 0).sum() > 5, (wanted[:, 0] < 0).sum() > 5, (wanted[:, 0] == 0).sum() > 5))
    np.testing.assert_array_equal(column("fair_value_gap", window=window), wanted[:, 0] / column("atr"))
    np.testing.assert_array_equal(column("distance_to_fair_value_gap", window=window), (CLOSE - wanted[:, 1]) / column("atr"))


def test_distances_to_swings_are_in_average_true_ranges():
    for side in ("high", "low"):
        np.testing.assert_array_equal(column(f"distance_to_swing_{side}"), (CLOSE - column(f"swing_{side}")) / column("atr"))


def test_wicks_and_body_are_shares_of_the_range():
    upper, lower, body = (column(name) for name in ("upper_wick", "lower_wick", "body"))
    for i in range(LENGTH):
        span = HIGH[i] - LOW[i]
        wanted = [0.0] * 3 if span == 0 else [(HIGH[i] - max(OPEN[i], CLOSE[i])) / span, (min(OPEN[i], CLOSE[i]) - LOW[i]) / span, (CLOSE[i] - OPEN[i]) / span]
        np.testing.assert_allclose([upper[i], lower[i], body[i]], wanted, rtol=1e-12)
    assert (BARS["high"] == BARS["low"]).any()
    np.testing.assert_allclose((upper + lower + np.abs(body))[(BARS["high"] > BARS["low"]).to_numpy()], 1.0)


@pytest.mark.parametrize("cut", (1, 2, 5, 300))
def test_structure_goes_on_with_the_same_bits_when_bars_come_in(cut):
    uses = [use("swing_high", bars=5), use("bars_since_swing_low", bars=1), use("break_of_structure", bars=2), use("fair_value_gap", window=7)]
    stream, full = Stream(BARS.iloc[:cut], uses), compute(BARS, uses)
    computed = [stream.append(row) for row in BARS.iloc[cut:400].to_dict("records")]
    for use_ in uses[:3]:
        np.testing.assert_array_equal([row[use_.column] for row in computed], full[use_.column].to_numpy()[cut:400])
    np.testing.assert_allclose([row[uses[3].column] for row in computed], full[uses[3].column].to_numpy()[cut:400], rtol=1e-9)
