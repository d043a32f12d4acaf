"""Features against an independent library's values, and against a loop written from the definition."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.features import compute, parse, use

ORACLE = Path(os.environ.get("TIDEMARK_DATA", ""), "oracles/talib_goog_daily.csv.gz")
RNG = np.random.default_rng(7)
CLOSE = 100 + np.cumsum(RNG.normal(0, 1, 300))
BARS = pd.DataFrame(dict(open=CLOSE, high=CLOSE + RNG.uniform(0, 1, 300), low=CLOSE - RNG.uniform(0, 1, 300), close=CLOSE))


def column(name: str, **params) -> np.ndarray:
    use_ = use(name, **params)
    return compute(BARS, [use_])[use_.column].to_numpy()


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


TALIB = {
    "SMA20": "sma(20)", "EMA20": "ema(20)", "KAMA30": "kama(30)", "BBu": "bollinger_upper(20)", "BBm": "sma(20)", "BBl": "bollinger_lower(20)",
    "RSI14": "rsi(14)", "MACD": "macd", "MACDs": "macd_signal", "MACDh": "macd_histogram", "STOCHk": "stochastic_k(5)", "STOCHd": "stochastic_d(5)",
    "WILLR14": "williams_r(14)", "CCI20": "cci(20)", "ROC10": "roc(10)", "MOM10": "momentum(10)", "ADX14": "adx(14)", "ATR14": "atr(14)",
}  # fmt: skip


@pytest.fixture(scope="module")
def oracle() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bars, and TA-Lib's values for them, to ten figures."""
    if not ORACLE.is_file():
        pytest.skip("TIDEMARK_DATA names no folder with oracles/talib_goog_daily.csv.gz")
    prices = pd.read_csv(ORACLE.with_name("backtesting_py") / "GOOG.csv")
    return pd.DataFrame({name: prices[name.capitalize()] for name in ("open", "high", "low", "close")}), pd.read_csv(ORACLE)


@pytest.mark.data
@pytest.mark.parametrize("name", TALIB)
def test_a_standard_indicator_equals_talib(oracle, name):
    bars, wanted = oracle
    use_ = parse(TALIB[name])
    got, wanted = compute(bars, [use_])[use_.column].to_numpy(), wanted[name].to_numpy()
    if name not in ("MACD", "STOCHk"):  # TA-Lib holds these back until their signal has begun
        np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    np.testing.assert_allclose(np.where(np.isnan(wanted), np.nan, got), wanted, rtol=1e-9)


@pytest.mark.data
def test_lines_and_deviations_equal_talib(oracle):
    bars, wanted = oracle
    frame = compute(bars, [use("sma", window=14), use("slope", window=14), use("sma", window=20), use("bollinger_upper", deviations=1.0)])
    np.testing.assert_allclose(frame["sma(14)"] + 6.5 * frame["slope(14)"], wanted["LINREG14"], rtol=1e-9)
    np.testing.assert_allclose(frame["bollinger_upper(20, 1.0)"] - frame["sma(20)"], wanted["STDDEV20"], rtol=1e-9)
