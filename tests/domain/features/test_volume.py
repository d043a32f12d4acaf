"""Volume features against loops written from their sentences, and against an independent library's values."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import NormalDist, mean, stdev
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from domain.features import FEATURES, Context, compute, use
from domain.market.bars import frame
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from tests.domain.features.world import market

ORACLE = Path(os.environ.get("TIDEMARK_DATA", ""), "oracles/talib_goog_daily.csv.gz")
LENGTH = 400
FAMILY = [name for name, spec in FEATURES.items() if spec.family == "volume"]


def random_bars(seed: int = 3) -> pd.DataFrame:
    """Prices on a coarse grid, so that closes repeat and some bars have no range."""
    rng = np.random.default_rng(seed)
    close = 100 + np.cumsum(rng.integers(-2, 3, LENGTH)) * 0.5
    open_ = np.r_[close[0], close[:-1]]
    high, low = np.maximum(open_, close) + rng.integers(0, 2, LENGTH) * 0.5, np.minimum(open_, close) - rng.integers(0, 2, LENGTH) * 0.5
    ts = np.datetime64("2024-03-07T00:00", "ns").astype(np.int64) + np.arange(LENGTH) * 1_800_000_000_000
    return frame(ts, open=open_, high=high, low=low, close=close, volume=rng.integers(0, 50, LENGTH).astype(float))


BARS = random_bars()
OPEN, HIGH, LOW, CLOSE, VOLUME = (BARS[name].tolist() for name in ("open", "high", "low", "close", "volume"))
TYPICAL = [(h + low + c) / 3 for h, low, c in zip(HIGH, LOW, CLOSE, strict=True)]


def column(name: str, bars: pd.DataFrame = BARS, context: Context = Context(), **params) -> np.ndarray:
    use_ = use(name, **params)
    return compute(bars, [use_], context)[use_.column].to_numpy()


def same(got: np.ndarray, wanted: list[float]) -> None:
    np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-10)


def test_relative_volume_is_against_the_bars_before_it():
    same(column("relative_volume", window=5), [np.nan] * 5 + [VOLUME[i] / mean(VOLUME[i - 5 : i]) for i in range(5, LENGTH)])


def test_relative_volume_after_bars_without_any_is_unknown():
    quiet = BARS.assign(volume=np.where(np.arange(LENGTH) < 50, 0.0, 7.0))
    assert np.isnan(column("relative_volume", quiet, window=5)[:51]).all()


@pytest.mark.parametrize("name", ("EURUSD", None))
def test_vwap_is_of_the_trading_day_so_far(name):
    context = Context(instrument(name), Timeframe.named("M30")) if name else Context()
    wanted, day, money, total = [], None, 0.0, 0.0
    for i, opened in enumerate(BARS["ts"]):
        local = opened.tz_convert(ZoneInfo("America/New_York")).tz_localize(None) + pd.Timedelta(hours=7)      # 17:00 is the next day's midnight
        date = local.normalize() + pd.offsets.BDay(0) if name else opened.normalize()
        if date != day:
            day, money, total = date, 0.0, 0.0
        money, total = money + TYPICAL[i] * VOLUME[i], total + VOLUME[i]
        wanted.append(money / total if total else np.nan)
    same(column("vwap", context=context), wanted)


def test_the_distance_from_the_vwap_is_in_average_true_ranges():
    same(column("vwap_distance"), (np.array(CLOSE) - column("vwap")) / column("atr"))


def test_volume_delta_takes_each_bar_by_where_it_closed():
    deltas = [v * (2 * c - h - low) / (h - low) if h > low else 0.0 for h, low, c, v in zip(HIGH, LOW, CLOSE, VOLUME, strict=True)]
    sums = [sum(deltas[i - 8 : i + 1]) for i in range(8, LENGTH)]
    same(column("cumulative_volume_delta", window=9), [np.nan] * 8 + sums)
    same(column("chaikin_money_flow", window=9), [np.nan] * 8 + [total / sum(VOLUME[i - 8 : i + 1]) for i, total in enumerate(sums, 8)])


def test_vpin_classifies_bulk_volume_by_the_normal_distribution():
    window, normal = 10, NormalDist().cdf
    change = [np.nan] + [CLOSE[i] - CLOSE[i - 1] for i in range(1, LENGTH)]
    imbalance = [np.nan] * window
    for i in range(window, LENGTH):
        buys = VOLUME[i] * normal(change[i] / stdev(change[i - window + 1 : i + 1]))
        imbalance.append(abs(buys - (VOLUME[i] - buys)))
    wanted = [sum(imbalance[i - window + 1 : i + 1]) / sum(VOLUME[i - window + 1 : i + 1]) for i in range(2 * window - 1, LENGTH)]
    same(column("vpin", window=window), [np.nan] * (2 * window - 1) + wanted)


@pytest.mark.parametrize(("step", "share"), ((0.0, 0.0), (0.25, 1.0)))
def test_vpin_of_prices_that_never_change_their_pace(step, share):
    close = 100 + step * np.arange(LENGTH)
    bars = BARS.assign(open=close, high=close, low=close, close=close, volume=3.0)
    np.testing.assert_array_equal(column("vpin", bars, window=5)[10:], share)


def test_on_balance_volume_adds_on_rises_and_takes_off_on_falls():
    wanted = [VOLUME[0]]
    for i in range(1, LENGTH):
        wanted.append(wanted[-1] + VOLUME[i] * ((CLOSE[i] > CLOSE[i - 1]) - (CLOSE[i] < CLOSE[i - 1])))
    np.testing.assert_array_equal(column("obv"), wanted)
    same(column("obv_change", window=6), [np.nan] * 6 + [(wanted[i] - wanted[i - 6]) / mean(VOLUME[i - 5 : i + 1]) for i in range(6, LENGTH)])


def test_money_flow_index_is_the_share_of_money_on_rising_bars():
    wanted = [np.nan] * 14
    for i in range(14, LENGTH):
        rising = sum(TYPICAL[k] * VOLUME[k] for k in range(i - 13, i + 1) if TYPICAL[k] > TYPICAL[k - 1])
        falling = sum(TYPICAL[k] * VOLUME[k] for k in range(i - 13, i + 1) if TYPICAL[k] < TYPICAL[k - 1])
        wanted.append(100 * rising / (rising + falling))
    same(column("mfi"), wanted)


def test_money_flow_index_is_in_the_middle_where_no_money_flows():
    np.testing.assert_array_equal(column("mfi", BARS.assign(volume=0.0))[14:], 50.0)


def test_a_bar_of_unknown_volume_adds_nothing_to_running_sums():
    hole = BARS.copy()
    hole.loc[200, "volume"] = np.nan
    without = BARS.copy()
    without.loc[200, "volume"] = 0.0
    np.testing.assert_array_equal(column("vwap", hole), column("vwap", without))
    result, wanted = column("obv", hole), column("obv", without)
    assert np.isnan(result[200])
    np.testing.assert_array_equal(np.delete(result, 200), np.delete(wanted, 200))


def test_a_window_with_an_unknown_volume_is_unknown():
    hole = BARS.copy()
    hole.loc[200, "volume"] = np.nan
    for name, window, last in (("relative_volume", 5, 205), ("cumulative_volume_delta", 5, 204), ("chaikin_money_flow", 5, 204), ("obv_change", 5, 204), ("mfi", 5, 204), ("vpin", 5, 204)):
        result = column(name, hole, window=window)
        assert np.isnan(result[200 : last + 1]).all(), name
        assert np.isfinite(result[last + 1]), name


@pytest.mark.parametrize("name", FAMILY)
def test_without_volume_nothing_is_known(name):
    assert np.isnan(column(name, BARS.drop(columns="volume"))).all()


@pytest.mark.parametrize("name", FAMILY)
def test_the_scale_of_volume_matters_only_where_the_unit_is_volume(name):
    bars, context = market()
    result = column(name, bars, context), column(name, bars.assign(volume=bars["volume"] * 1024), context)
    if FEATURES[name].unit == "volume":
        np.testing.assert_allclose(result[1], result[0] * 1024, rtol=1e-12)
    else:
        np.testing.assert_allclose(result[1], result[0], rtol=1e-12)


@pytest.mark.data
@pytest.mark.skipif(not ORACLE.is_file(), reason="TIDEMARK_DATA names no folder with oracles/talib_goog_daily.csv.gz")
def test_money_flow_index_and_on_balance_volume_equal_talib():
    oracle = pd.read_csv(ORACLE)
    prices = pd.read_csv(ORACLE.with_name("backtesting_py") / "GOOG.csv")
    bars = pd.DataFrame({name: prices[name.capitalize()].astype(float) for name in ("open", "high", "low", "close", "volume")})
    bars["ts"] = pd.to_datetime(oracle["date"], utc=True).astype("datetime64[ns, UTC]")
    for use_, name in ((use("mfi", window=14), "MFI14"), (use("obv"), "OBV")):
        np.testing.assert_allclose(compute(bars, [use_])[use_.column], oracle[name], rtol=1e-9, err_msg=name)
