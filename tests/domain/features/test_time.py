"""Clock features against the standard library's zones, through changes of the clocks."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.features import Context, compute, use
from domain.features import sessions as table
from domain.market.bars import frame, ts_of
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from tests.domain.features.world import market

YEAR = pd.date_range("2024-01-01", "2024-12-31 23:45", freq="15min", tz="UTC").as_unit("ns")        # weekends too
ONES = np.ones(len(YEAR))
BARS = frame(YEAR.asi8, open=ONES, high=ONES, low=ONES, close=ONES)
HOURS = {"asia": ("Asia/Tokyo", 540, 1080), "india": ("Asia/Kolkata", 540, 930), "london": ("Europe/London", 480, 1020), "new_york": ("America/New_York", 480, 1020)}


def column(name: str, bars: pd.DataFrame = BARS, context: Context = Context(), **params) -> np.ndarray:
    use_ = use(name, **params)
    return compute(bars, [use_], context)[use_.column].to_numpy()


def inside(name: str) -> np.ndarray:
    """By the wall clock of the session, Monday to Friday."""
    zone, opens, closes = HOURS[name]
    local = YEAR.tz_convert(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    return np.asarray((local.day_of_week < 5) & (minute >= opens) & (minute < closes))


@pytest.mark.parametrize("name", HOURS)
def test_a_bar_is_in_a_session_by_its_own_clock(name):
    np.testing.assert_array_equal(column("in_session", session=name), inside(name))


@pytest.mark.parametrize(("day", "opens"), (("2024-03-28", "08:00"), ("2024-04-02", "07:00"), ("2024-10-25", "07:00"), ("2024-10-28", "08:00")))
def test_london_opens_an_hour_earlier_in_summer(day, opens):
    result = column("in_session", session="london")[YEAR.strftime("%Y-%m-%d") == day]
    first = int(np.argmax(result))
    assert f"{first // 4:02}:{first % 4 * 15:02}" == opens
    assert result.sum() == 9 * 4


@pytest.mark.parametrize("name", HOURS)
def test_bars_are_counted_from_the_sessions_open(name):
    result, now, count = column("bars_since_session_open", session=name), inside(name), np.nan
    for i in range(len(YEAR)):
        count = 0.0 if now[i] and (i == 0 or not now[i - 1]) and (i > 0 or result[0] == 0.0) else count + 1
        np.testing.assert_array_equal(result[i], count)
    assert np.nanmax(result) > 200, "over a weekend"


def test_a_session_whose_open_was_not_seen_has_no_count():
    seen, unseen = (column("bars_since_session_open", BARS.iloc[start:].reset_index(drop=True)) for start in (32, 33))      # 08:00 and 08:15 in London
    assert seen[0] == 0.0
    assert np.isnan(unseen[:95]).all() and unseen[95] == 0.0


def test_an_unknown_session_is_given_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'london'"):
        column("in_session", session="londn")


def test_hours_past_midnight_close_on_the_next_day(monkeypatch):
    sydney = table.Hours("Sydney to Europe", "UTC", "22:00", "07:00", "a test")
    monkeypatch.setattr(table, "sessions", lambda: {"night": sydney})
    spans = table.spans.__wrapped__("night")
    assert set((spans.closes - spans.opens) // 3_600_000_000_000) == {9}


def test_every_session_names_zone_and_source():
    for name, hours in table.sessions().items():
        assert hours.title and hours.source and ZoneInfo(hours.zone), name


@pytest.mark.parametrize("zone", ("UTC", "America/New_York", "Asia/Kolkata"))
def test_sine_and_cosine_are_of_the_clock_of_the_zone(zone):
    local = YEAR.tz_convert(ZoneInfo(zone))
    day, week = 2 * np.pi * (local.hour * 60 + local.minute) / 1440, 2 * np.pi * local.day_of_week / 7
    for name, angle in (("minute_of_day", day), ("day_of_week", week)):
        np.testing.assert_allclose(column(f"{name}_sine", zone=zone), np.sin(angle), atol=1e-12)
        np.testing.assert_allclose(column(f"{name}_cosine", zone=zone), np.cos(angle), atol=1e-12)


def test_an_unknown_zone_is_refused():
    with pytest.raises(BadRequest, match="Europe/Atlantis"):
        column("minute_of_day_sine", zone="Europe/Atlantis")


@pytest.mark.parametrize("timeframe", ("M15", "D1"))
def test_minutes_to_and_since_releases_are_counted_from_the_end_of_the_bar(timeframe):
    bars, context = market()
    context = context.on(Timeframe.named(timeframe))
    bars = bars.iloc[:600] if timeframe == "M15" else bars.iloc[::96].reset_index(drop=True)
    ends, releases = context.ends(bars), np.sort(np.append(context.releases, context.ends(bars)[5]))
    context = Context(context.instrument, context.timeframe, releases=releases)
    to, since = column("minutes_to_release", bars, context), column("minutes_since_release", bars, context)
    for i, end in enumerate(ends):
        coming, gone = [release for release in releases if release >= end], [earlier for earlier in releases if earlier <= end]
        np.testing.assert_allclose(to[i], (min(coming) - end) / 60e9 if coming else np.nan)
        np.testing.assert_allclose(since[i], (end - max(gone)) / 60e9 if gone else np.nan)
    assert to[5] == since[5] == 0.0


def test_the_next_release_is_known_before_it_comes_and_nothing_after_the_last():
    bars, context = market()
    last = Context(context.instrument, context.timeframe, releases=ts_of(bars)[[2_000]])
    full = column("minutes_to_release", bars, last)
    assert np.isfinite(full[:2_000]).all() and np.isnan(full[2_000:]).all()
    np.testing.assert_array_equal(column("minutes_to_release", bars.iloc[:50], last), full[:50])


@pytest.mark.parametrize("name", ("minutes_to_release", "minutes_since_release"))
@pytest.mark.parametrize("context", (Context(instrument("EURUSD"), Timeframe.named("M15")), Context(releases=YEAR.asi8[:9])))
def test_without_releases_or_a_timeframe_there_is_no_number(name, context):
    assert np.isnan(column(name, BARS, context)).all()
