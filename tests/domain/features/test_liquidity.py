"""Liquidity features against loops written from their sentences."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from domain.features import Context, compute, use
from domain.features.stream import Stream
from domain.market.timeframe import Timeframe
from tests.domain.features.world import market

BARS, CONTEXT = market()
SPREAD = BARS["spread"].to_numpy()


def column(name: str, bars=BARS, context: Context = CONTEXT, **params) -> np.ndarray:
    use_ = use(name, **params)
    return compute(bars, [use_], context)[use_.column].to_numpy()


@pytest.mark.parametrize("weeks", (1, 2, 8))
@pytest.mark.parametrize("zone", ("America/New_York", "UTC"))
def test_a_spread_is_set_against_those_before_it_in_its_hour_of_the_week(weeks, zone):
    context = CONTEXT if zone != "UTC" else Context(timeframe=Timeframe.named("M15"))
    spread = np.where(np.random.default_rng(4).random(len(BARS)) < 0.1, np.nan, SPREAD)
    local = BARS["ts"].dt.tz_convert(ZoneInfo(zone)).dt.tz_localize(None)
    hour = (local.dt.day_of_week * 24 + local.dt.hour).to_numpy()
    week = ((local - np.datetime64("2023-12-25", "ns")).dt.days // 7).to_numpy()
    result = column("spread_to_usual", BARS.assign(spread=spread), context, weeks=weeks)
    for i in range(0, len(BARS), 3):
        before = spread[:i][(hour[:i] == hour[i]) & (week[:i] >= week[i] - weeks)]
        before = before[~np.isnan(before)]
        np.testing.assert_allclose(result[i], spread[i] / before.mean() if len(before) else np.nan, rtol=1e-10)
    assert np.isfinite(result).sum() > 2_000


def test_a_spread_twice_as_wide_as_ever_is_twice_the_usual():
    bars = BARS.assign(spread=np.where(np.arange(len(BARS)) == 2_900, 2e-4, 1e-4))
    result = column("spread_to_usual", bars)
    assert result[2_900] == pytest.approx(2.0)
    assert result[2_800:2_900] == pytest.approx(1.0)


def test_the_share_of_the_average_true_range():
    np.testing.assert_array_equal(column("spread_to_atr"), SPREAD / column("atr"))


@pytest.mark.parametrize("name", ("spread_to_atr", "spread_to_usual"))
def test_without_spreads_nothing_is_known(name):
    assert np.isnan(column(name, BARS.drop(columns="spread"))).all()


def test_the_usual_spread_goes_on_with_the_same_bits_when_bars_come_in():
    use_ = use("spread_to_usual", weeks=2)
    full, stream = column("spread_to_usual", weeks=2), Stream(BARS.iloc[:1_700], [use_], CONTEXT)
    assert [stream.append(row)[use_.column] for row in BARS.iloc[1_700:2_000].to_dict("records")] == full[1_700:2_000].tolist()
