"""A ratio over nothing has no value: after a weekend of flat bars, from a price below zero, over what is nothing but rounding."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.features import FEATURES, Context, compute, use
from domain.features.stream import Stream
from domain.market.bars import frame
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.rounding import LEAST_TICKS

MINUTE = 60_000_000_000
EURUSD = Context(instrument("EURUSD"), Timeframe.named("M1"))
IN_ATR = [name for name, spec in FEATURES.items() if "tick" in spec.inputs and name != "tick_size"]        # which is the tick itself
MOVING, STILL = 320, 1_200


@pytest.fixture(scope="module")
def weekend() -> pd.DataFrame:
    """Bars that move, stand still at the last close for hours, and move again."""
    rng = np.random.default_rng(3)
    close = 1.1 + np.cumsum(rng.choice([-1e-5, 0.0, 1e-5], MOVING * 2))
    close = np.concatenate([close[:MOVING], np.full(STILL, close[MOVING - 1]), close[MOVING:]])
    wide = np.where(np.arange(len(close)) // MOVING % 10 == 0, 2e-5, 0.0)
    wide[:MOVING], wide[MOVING : MOVING + STILL], wide[MOVING + STILL :] = 2e-5, 0.0, 2e-5
    ts = np.datetime64("2024-01-12T14:00", "ns").astype(np.int64) + MINUTE * np.arange(len(close))
    volume = np.where(wide > 0, 10.0, 0.0)
    return frame(ts, open=close, high=close + wide, low=close - wide, close=close, volume=volume, spread=np.full(len(close), 1e-5))


def test_the_features_in_ranges_know_the_tick():
    assert {"vwap_distance", "distance", "slope_in_atr", "spread_to_atr", "distance_to_swing_low", "fair_value_gap", "atr_ratio", "seasonal_volatility"} <= set(IN_ATR)
    assert all("tick" in FEATURES[name].inputs for name in FEATURES if FEATURES[name].unit == "ATR" and name != "distance_to_round_number")


def test_an_atr_under_a_hundredth_of_a_tick_is_none(weekend):
    names = [*IN_ATR, "distance_to_round_number"]
    computed = compute(weekend, [use("atr"), *(use(name) for name in names)], EURUSD)
    atr = computed["atr(14)"].to_numpy()
    none = atr < LEAST_TICKS * 1e-5
    assert none.sum() > 900 and atr[MOVING + STILL - 1] < 1e-30
    for name in names:
        values = computed[use(name).column].to_numpy()
        if name not in ("atr_ratio", "seasonal_volatility"):
            assert np.isnan(values[none]).all(), name
        assert np.nanmax(np.abs(values), initial=0.0) < 1e4, name


def test_every_feature_of_bars_that_stand_still_is_bounded(weekend):
    uses = [use(name) for name in FEATURES if FEATURES[name].unit != "volume"]
    computed = compute(weekend, uses, EURUSD)
    for use_ in uses:
        assert np.nanmax(np.abs(computed[use_.column].to_numpy()), initial=0.0) < 1e5, use_.column


def test_bar_by_bar_the_same_bars_are_without_a_value(weekend):
    uses = [use(name) for name in (*IN_ATR, "rsi", "adx", "plus_di", "cci", "zscore", "stochastic_k", "efficiency", "kama", "body", "simple_return", "roc")]
    begin = MOVING + 150
    stream = Stream(weekend.iloc[:begin], uses, EURUSD)
    rows = [stream.append(row) for row in weekend.iloc[begin : begin + 120].to_dict("records")]
    full = compute(weekend, uses, EURUSD).iloc[begin : begin + 120]
    for use_ in uses:
        got, wanted = np.array([row[use_.column] for row in rows]), full[use_.column].to_numpy()
        np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted), err_msg=use_.column)
        if FEATURES[use_.name].state is not None:
            np.testing.assert_array_equal(got, wanted, err_msg=use_.column)


def test_without_an_instrument_rounding_of_the_price_is_the_least(weekend):
    computed = compute(weekend, [use("distance")])["distance(20, 14)"].to_numpy()
    assert np.isnan(computed[MOVING + 400 : MOVING + STILL]).all() and np.isfinite(computed[100:MOVING]).all()


def test_a_return_from_below_zero_is_none():
    """WTI in April 2020: from -37.63 to 10.01 is a rise."""
    close = np.array([18.27, -37.63, 10.01, 13.78])
    bars = frame(np.arange(4) * MINUTE, open=close, high=close, low=close, close=close)
    computed = compute(bars, [use("simple_return", window=1), use("roc", window=1), use("log_return", window=1)])
    for name in ("simple_return(1)", "roc(1)", "log_return(1)"):
        assert np.isnan(computed[name].iloc[2]) and computed[name].iloc[3] > 0, name
    assert computed["simple_return(1)"].iloc[3] == pytest.approx(13.78 / 10.01 - 1)


@pytest.mark.parametrize(("name", "value"), [("zscore", 0.0), ("bollinger_position", 0.5), ("cci", 0.0), ("donchian_position", 0.5), ("efficiency", 0.0), ("williams_r", -50.0), ("body", 0.0), ("rsi", 50.0)])
def test_prices_that_differ_by_rounding_stand_still(name, value):
    """1.1 and the next number after it, as a feed's own arithmetic leaves them."""
    close = np.where(np.arange(60) % 2, np.nextafter(1.1, 2.0), 1.1)
    bars = frame(np.arange(60) * MINUTE, open=close, high=np.maximum(close, 1.1), low=np.minimum(close, 1.1), close=close)
    computed = compute(bars, [use(name)])[use(name).column].to_numpy()
    assert computed[-1] == value
