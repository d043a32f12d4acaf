"""Momentum, trend and volatility against loops written from their definitions, and in markets that stand still."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.features import FEATURES, compute, parse
from domain.features.stream import Stream

RNG = np.random.default_rng(7)
COUNT = 400
OPEN = 100 + np.cumsum(RNG.normal(0, 1, COUNT))
CLOSE = OPEN + RNG.normal(0, 1, COUNT)
HIGH, LOW = np.maximum(OPEN, CLOSE) + RNG.uniform(0, 1, COUNT), np.minimum(OPEN, CLOSE) - RNG.uniform(0, 1, COUNT)
TS = pd.date_range("2024-01-01", periods=COUNT, freq="h", tz="UTC")
BARS = pd.DataFrame(dict(ts=TS, open=OPEN, high=HIGH, low=LOW, close=CLOSE))
RETURNS = np.r_[np.nan, np.log(CLOSE[1:] / CLOSE[:-1])]
FAMILIES = ("momentum", "returns", "trend", "volatility")
OWN = [name for name, spec in FEATURES.items() if spec.family in FAMILIES]

# what a market that has never moved is said to do; what is not named here is unknown there
STILL = dict(
    sma=1.1, ema=1.1, kama=1.1, channel_high=1.1, channel_low=1.1, bollinger_upper=1.1, bollinger_lower=1.1, rsi=50.0, stochastic_k=50.0, stochastic_d=50.0,
    williams_r=-50.0, donchian_position=0.5, bollinger_position=0.5,
    **dict.fromkeys(("momentum", "roc", "macd", "macd_signal", "macd_histogram", "cci", "zscore", "slope", "efficiency", "plus_di", "minus_di", "adx"), 0.0),
    **dict.fromkeys(("simple_return", "log_return", "realised_volatility", "return_deviation"), 0.0),
    **dict.fromkeys(("true_range", "atr", "atr_share", "bollinger_width", "parkinson", "garman_klass", "yang_zhang"), 0.0),
)  # fmt: skip


def column(text: str, bars: pd.DataFrame = BARS) -> np.ndarray:
    use_ = parse(text)
    return compute(bars, [use_])[use_.column].to_numpy()


def ema(values: np.ndarray, window: int) -> np.ndarray:
    """From the sentence: the mean of the first ``window`` values, then 2 / (window + 1) of the way to each."""
    valid = np.flatnonzero(np.isfinite(values))
    computed = np.full(len(values), np.nan)
    at = valid[window - 1]
    computed[at] = values[valid[:window]].mean()
    for i in valid[window:]:
        computed[i] = computed[i - 1] + 2 / (window + 1) * (values[i] - computed[i - 1])
    return computed


def wilder(values: list[float], window: int) -> list[float]:
    computed = [float(np.mean(values[:window]))]
    for value in values[window:]:
        computed.append((computed[-1] * (window - 1) + value) / window)
    return computed


@pytest.mark.parametrize("window", (1, 2, 9, 20))
def test_exponential_average_by_a_loop(window):
    np.testing.assert_allclose(column(f"ema({window})"), ema(CLOSE, window), rtol=1e-12)


@pytest.mark.parametrize("window", (1, 2, 14))
def test_relative_strength_by_a_loop(window):
    changes = np.diff(CLOSE)
    up, down = wilder(list(np.maximum(changes, 0)), window), wilder(list(np.maximum(-changes, 0)), window)
    wanted = [100 - 100 / (1 + u / d) if d else 100.0 for u, d in zip(up, down, strict=True)]
    np.testing.assert_allclose(column(f"rsi({window})"), [np.nan] * window + wanted, rtol=1e-12)


def test_macd_averages_begin_where_the_longer_has_enough():
    line = ema(np.where(np.arange(COUNT) < 26 - 12, np.nan, CLOSE), 12) - ema(CLOSE, 26)
    signal = ema(line, 9)
    for name, wanted in (("macd", line), ("macd_signal", signal), ("macd_histogram", line - signal)):
        np.testing.assert_allclose(column(name), wanted, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("window", (1, 2, 14))
def test_directional_movement_by_a_loop(window):
    plus, minus, ranges = [], [], []
    for i in range(1, COUNT):
        up, down = HIGH[i] - HIGH[i - 1], LOW[i - 1] - LOW[i]
        plus.append(up if up > max(down, 0) else 0.0)
        minus.append(down if down > max(up, 0) else 0.0)
        ranges.append(max(HIGH[i] - LOW[i], abs(HIGH[i] - CLOSE[i - 1]), abs(LOW[i] - CLOSE[i - 1])))

    def summed(values: list[float]) -> np.ndarray:
        computed = [sum(values[: window - 1])]
        for value in values[window - 1 :]:
            computed.append(computed[-1] - computed[-1] / window + value)
        return np.array(computed[1:])

    up, down, wide = summed(plus), summed(minus), summed(ranges)
    strength = [100 * abs(u - d) / (u + d) if u + d else 0.0 for u, d in zip(up, down, strict=True)]
    np.testing.assert_allclose(column(f"plus_di({window})"), np.r_[[np.nan] * window, 100 * up / wide], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(column(f"minus_di({window})"), np.r_[[np.nan] * window, 100 * down / wide], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(column(f"adx({window})"), [np.nan] * (2 * window - 1) + wilder(strength, window), rtol=1e-10)


def test_kaufmans_average_by_a_loop():
    window, fast, slow = 10, 2, 30
    wanted, level = [np.nan] * window, CLOSE[window - 1]
    for i in range(window, COUNT):
        straight = abs(CLOSE[i] - CLOSE[i - window]) / np.abs(np.diff(CLOSE[i - window : i + 1])).sum()
        level += (straight * (2 / (fast + 1) - 2 / (slow + 1)) + 2 / (slow + 1)) ** 2 * (CLOSE[i] - level)
        wanted.append(level)
    np.testing.assert_allclose(column("kama(10, 2, 30)"), wanted, rtol=1e-12)


WINDOWED = {    # name -> its value from the bars of its window, the close before them at 0
    "efficiency(10)": (11, lambda o, h, lo, c: abs(c[-1] - c[0]) / np.abs(np.diff(c)).sum()),
    "donchian_position(20)": (20, lambda o, h, lo, c: (c[-1] - lo.min()) / (h.max() - lo.min())),
    "williams_r(14)": (14, lambda o, h, lo, c: -100 * (h.max() - c[-1]) / (h.max() - lo.min())),
    "stochastic_k(14, 1)": (14, lambda o, h, lo, c: 100 * (c[-1] - lo.min()) / (h.max() - lo.min())),
    "simple_return(5)": (6, lambda o, h, lo, c: c[-1] / c[0] - 1),
    "log_return(5)": (6, lambda o, h, lo, c: np.log(c[-1] / c[0])),
    "roc(5)": (6, lambda o, h, lo, c: 100 * (c[-1] / c[0] - 1)),
    "realised_volatility(20)": (21, lambda o, h, lo, c: np.sqrt((np.diff(np.log(c)) ** 2).mean())),
    "return_deviation(20)": (21, lambda o, h, lo, c: np.diff(np.log(c)).std(ddof=1)),
    "bollinger_position(20)": (20, lambda o, h, lo, c: (c[-1] - (c.mean() - 2 * c.std())) / (4 * c.std())),
    "bollinger_width(20)": (20, lambda o, h, lo, c: 4 * c.std() / c.mean()),
    "zscore(20)": (20, lambda o, h, lo, c: (c[-1] - c.mean()) / c.std()),
    "parkinson(20)": (20, lambda o, h, lo, c: np.sqrt((np.log(h / lo) ** 2).mean() / (4 * np.log(2)))),
    "garman_klass(20)": (20, lambda o, h, lo, c: np.sqrt((0.5 * np.log(h / lo) ** 2 - (2 * np.log(2) - 1) * np.log(c / o) ** 2).mean())),
    "yang_zhang(20)": (21, lambda o, h, lo, c: np.sqrt(yang_zhang(o[1:], h[1:], lo[1:], c[1:], c[:-1]))),
}  # fmt: skip


def yang_zhang(open, high, low, close, before):
    count = len(close)
    k = 0.34 / (1.34 + (count + 1) / (count - 1))
    inside = np.log(high / close) * np.log(high / open) + np.log(low / close) * np.log(low / open)
    return np.var(np.log(open / before), ddof=1) + k * np.var(np.log(close / open), ddof=1) + (1 - k) * inside.mean()


@pytest.mark.parametrize("text", WINDOWED)
def test_a_windowed_feature_by_its_formula(text):
    count, value = WINDOWED[text]
    got = column(text)
    assert np.isnan(got[: count - 1]).all()
    wanted = [value(*(item[i - count + 1 : i + 1] for item in (OPEN, HIGH, LOW, CLOSE))) for i in range(count - 1, COUNT)]
    np.testing.assert_allclose(got[count - 1 :], wanted, rtol=1e-9)


def test_smoothed_stochastics_are_means_of_the_fast_one():
    fast = pd.Series(column("stochastic_k(14, 1)"))
    np.testing.assert_allclose(column("stochastic_k(14, 3)"), fast.rolling(3).mean(), rtol=1e-10)
    np.testing.assert_allclose(column("stochastic_d(14, 3, 4)"), fast.rolling(3).mean().rolling(4).mean(), rtol=1e-10)


def test_features_in_average_true_ranges():
    atr = column("atr(14)")
    np.testing.assert_allclose(column("distance(20, 14)"), (CLOSE - ema(CLOSE, 20)) / atr, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(column("slope_in_atr(10, 14)"), column("slope(10)") / atr, rtol=1e-12)
    np.testing.assert_allclose(column("atr_share(14)"), atr / CLOSE, rtol=1e-12)


def test_volatility_of_volatility_by_pandas():
    seen = pd.Series(np.sqrt(pd.Series(RETURNS**2).rolling(10).mean())).rolling(50)
    np.testing.assert_allclose(column("vol_of_vol(10, 50)"), seen.std(ddof=0) / seen.mean(), rtol=1e-8)


def test_seasonal_volatility_by_a_loop_over_earlier_days():
    ranges, hours = column("true_range"), TS.hour.to_numpy()
    wanted = np.full(COUNT, np.nan)
    for i in range(COUNT):
        earlier = [ranges[j] for j in range(i) if hours[j] == hours[i] and np.isfinite(ranges[j])][-5:]
        if len(earlier) >= 3:
            wanted[i] = ranges[i] / np.mean(earlier)
    np.testing.assert_allclose(column("seasonal_volatility(5)"), wanted, rtol=1e-12)


def test_seasonal_volatility_takes_the_day_out_and_leaves_the_rest():
    rng = np.random.default_rng(3)
    size = 1 + 10 * np.sin(np.pi * TS.hour.to_numpy() / 24) ** 2
    size[300:] *= 2
    width = size * rng.uniform(0.9, 1.1, COUNT)
    bars = BARS.assign(open=100.0, close=100.0, high=100 + width, low=100 - width)
    got = column("seasonal_volatility(5)", bars)
    assert np.nanstd(got[200:300]) < 0.15 and abs(np.nanmean(got[200:300]) - 1) < 0.05
    assert abs(np.nanmean(got[300:324]) - 2) < 0.1


def test_a_time_of_day_not_seen_for_long_begins_anew():
    later = BARS.assign(ts=BARS["ts"].where(BARS.index < 200, BARS["ts"] + pd.Timedelta(days=11)))
    got = column("seasonal_volatility(5)", later)
    assert np.isfinite(got[100:200]).all() and np.isnan(got[200:272]).all() and np.isfinite(got[272:]).all()


def test_seasons_are_of_the_clock_that_is_named():
    """New York turns its clocks on 2024-03-10: one hour's bars keep their hour there and not in UTC."""
    ts = pd.date_range("2024-02-26 09:00", "2024-03-22 09:00", freq="D", tz="America/New_York")
    bars = BARS.iloc[: len(ts)].assign(ts=ts.tz_convert("UTC"))
    turned = int(np.argmax(ts >= pd.Timestamp("2024-03-10", tz="America/New_York")))
    assert np.isnan(column("seasonal_volatility(20, UTC)", bars)[turned])
    assert np.isfinite(column("seasonal_volatility(20, America/New_York)", bars)[turned])


@pytest.mark.parametrize("name", OWN)
def test_a_market_that_stands_still_is_stated_to_or_unknown(name):
    bars = BARS.assign(open=1.1, high=1.1, low=1.1, close=1.1)
    got = column(name, bars)[250:]
    if name in STILL:
        assert (got == STILL[name]).all()
    else:
        assert np.isnan(got).all()


@pytest.mark.parametrize("price", (0.0, -37.63))
def test_prices_that_are_not_above_nothing_give_no_infinite_value(price):
    bars = BARS.copy()
    bars.loc[200:210, ["open", "high", "low", "close"]] = price
    frame = compute(bars, [parse(name) for name in OWN])
    assert not np.isinf(frame.drop(columns="ts").to_numpy()).any()


def test_bar_by_bar_gives_the_same_bits():
    """All but the two that are made anew from the tail of an average without end."""
    uses = {name: parse(name) for name in OWN if name not in ("atr_ratio", "slope_in_atr")}
    wanted = compute(BARS, uses.values())
    stream = Stream(BARS.iloc[:7], uses.values())
    for i, row in enumerate(BARS.iloc[7:].to_dict("records"), 7):
        computed = stream.append(row)
        for name, use in uses.items():
            np.testing.assert_array_equal(computed[use.column], wanted[use.column].iloc[i], err_msg=f"{name} at bar {i}")
