"""Features against an independent library's values, and against a loop written from the definition."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.features import compute, use

ORACLE = Path(os.environ.get("TIDEMARK_DATA", ""), "oracles/talib_goog_daily.csv.gz")
RNG = np.random.default_rng(7)
CLOSE = 100 + np.cumsum(RNG.normal(0, 1, 300))
BARS = pd.DataFrame(dict(open=CLOSE, high=CLOSE + RNG.uniform(0, 1, 300), low=CLOSE - RNG.uniform(0, 1, 300), close=CLOSE))


def column(name: str, **params) -> np.ndarray:
    one = use(name, **params)
    return compute(BARS, [one])[one.column].to_numpy()


def test_wilders_average_true_range_by_a_loop():
    window, high, low = 14, BARS["high"].to_numpy(), BARS["low"].to_numpy()
    ranges = [max(high[i] - low[i], abs(high[i] - CLOSE[i - 1]), abs(low[i] - CLOSE[i - 1])) for i in range(1, len(BARS))]
    wanted = [np.nan] * window + [np.mean(ranges[:window])]
    for true_range in ranges[window:]:
        wanted.append(wanted[-1] + (true_range - wanted[-1]) / window)
    np.testing.assert_allclose(column("atr", window=window), wanted, rtol=1e-12)


def test_channels_leave_the_present_bar_out():
    for i in (30, 299):
        assert column("channel_high", window=20)[i] == BARS["high"].iloc[i - 20 : i].max()
        assert column("channel_low", window=20)[i] == BARS["low"].iloc[i - 20 : i].min()


@pytest.mark.data
@pytest.mark.skipif(not ORACLE.is_file(), reason="TIDEMARK_DATA names no folder with oracles/talib_goog_daily.csv.gz")
def test_atr_and_sma_equal_talib():
    oracle = pd.read_csv(ORACLE)
    prices = pd.read_csv(ORACLE.with_name("backtesting_py") / "GOOG.csv")
    bars = pd.DataFrame({name: prices[name.capitalize()] for name in ("open", "high", "low", "close")})
    for one, name in ((use("atr", window=14), "ATR14"), (use("sma", window=20), "SMA20")):
        np.testing.assert_allclose(compute(bars, [one])[one.column], oracle[name], rtol=1e-9, err_msg=name)


