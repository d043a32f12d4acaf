"""Levels of days, weeks and sessions against slow loops over wall clocks."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from domain.features import Context, compute, use
from domain.market.bars import frame
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from tests.domain.features.world import market

NAMES = ("day_open", "day_high", "day_low", "previous_day_high", "previous_day_low", "previous_day_close", "previous_week_high", "previous_week_low")
BARS, CONTEXT = market()        # over 10 March 2024, when New York's clocks go forward and London's do not
PERIODS: dict[bool, list[tuple[object, object]]] = {}


def column(name: str, context: Context = CONTEXT, bars: pd.DataFrame = BARS, **params) -> np.ndarray:
    use_ = use(name, **params)
    return compute(bars, [use_], context)[use_.column].to_numpy()


def day_and_week(opened: pd.Timestamp, fx: bool) -> tuple[object, object]:
    """Trade date and its week: in FX 17:00 New York is the next day's midnight, and what lies on a weekend belongs to Monday."""
    if not fx:
        return opened.date(), opened.isocalendar()[:2]
    date = (opened.tz_convert(ZoneInfo("America/New_York")).tz_localize(None) + pd.Timedelta(hours=7)).normalize() + pd.offsets.BDay(0)
    return date, date.isocalendar()[:2]


@pytest.mark.parametrize("fx", (True, False))
def test_levels_of_days_and_weeks(fx):
    context = CONTEXT if fx else Context(timeframe=Timeframe.named("M15"))
    parts = pd.DataFrame([day_and_week(opened, fx) for opened in BARS["ts"]], columns=["day", "week"])
    days, weeks = (BARS.groupby(parts[name], sort=False) for name in ("day", "week"))
    wanted = dict(day_open=days["open"].transform("first"), day_high=days["high"].cummax(), day_low=days["low"].cummin())
    for name, grouped, key in (("day", days, "day"), ("week", weeks, "week")):
        for what, how in (("high", "max"), ("low", "min"), ("close", "last")):
            wanted[f"previous_{name}_{what}"] = parts[key].map(grouped[what].agg(how).shift())
    assert parts["day"].nunique() > 30 and parts["week"].nunique() > 5
    for name in NAMES:
        np.testing.assert_array_equal(column(name, context), wanted[name].to_numpy(), err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_distances_are_of_the_close_from_the_level_in_average_true_ranges(name):
    np.testing.assert_array_equal(column(f"distance_to_{name}"), (BARS["close"].to_numpy() - column(name)) / column("atr"))


@pytest.mark.parametrize(("session", "zone", "opens", "closes"), (("asia", "Asia/Tokyo", 9, 18), ("london", "Europe/London", 8, 17), ("new_york", "America/New_York", 8, 17)))
def test_levels_of_a_session_stay_until_it_opens_again(session, zone, opens, closes):
    atr, result = column("atr"), {name: column(f"distance_to_session_{name}", session=session) for name in ("open", "high", "low")}
    now, level = None, dict(open=np.nan, high=np.nan, low=np.nan)
    for i, (opened, bar) in enumerate(zip(BARS["ts"].dt.tz_convert(ZoneInfo(zone)), BARS.itertuples(), strict=True)):
        if opened.weekday() < 5 and opens <= opened.hour < closes:
            if opened.date() != now:
                now, level = opened.date(), dict(open=bar.open, high=bar.high, low=bar.low)
            level = dict(level, high=max(level["high"], bar.high), low=min(level["low"], bar.low))
        for name in level:
            np.testing.assert_array_equal(result[name][i], (bar.close - level[name]) / atr[i])


@pytest.mark.parametrize(("name", "pips", "step"), (("EURUSD", 50, 0.005), ("USDJPY", 100, 1.0), ("XAUUSD", 100, None)))
def test_the_nearest_round_number_is_never_further_than_half_a_step(name, pips, step):
    instrument_ = instrument(name)
    step = step or pips * instrument_.pip
    close = np.random.default_rng(2).uniform(100 * step, 300 * step, 200)
    bars = frame(np.arange(200), open=close, high=close + step / 8, low=close - step / 8, close=close)
    distance = column("distance_to_round_number", Context(instrument_), bars, pips=pips) * column("atr", Context(instrument_), bars)
    for away, price in list(zip(distance, close, strict=True))[14:]:
        levels = [k * step for k in range(90, 310)]
        nearest = min(levels, key=lambda level: abs(price - level))
        assert away == pytest.approx(price - nearest, abs=1e-9)


def test_without_an_instrument_no_number_is_round():
    assert np.isnan(column("distance_to_round_number", Context())).all()


def test_todays_high_is_up_to_and_with_this_bar():
    for cut in (200, 201, 1_000):
        np.testing.assert_array_equal(column("day_high", bars=BARS.iloc[:cut]), column("day_high")[:cut])
    assert (column("day_high") >= BARS["high"]).all()
