from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import UnknownName
from domain.market import CLOCKS, calendar, clock, infer, likely, to_utc
from domain.market.zones import HOUR
from tests.domain.market.makers import D1, H1, H4, M5, M15, fx_bars, ns, texts, wall

SLOW = {                                    # each clock in the standard library's words
    "UTC": lambda wall: wall.replace(tzinfo=UTC),
    "UTC+2": lambda wall: wall.replace(tzinfo=timezone(timedelta(hours=2))),
    "UTC-3:30": lambda wall: wall.replace(tzinfo=timezone(-timedelta(hours=3, minutes=30))),
    "Europe/Prague": lambda wall: wall.replace(tzinfo=ZoneInfo("Europe/Prague")),
    "mt5_us": lambda wall: (wall - timedelta(hours=7)).replace(tzinfo=ZoneInfo("America/New_York")),
    "mt5_eu": lambda wall: wall.replace(tzinfo=ZoneInfo("Europe/Athens")),
    "mt5_eu_us_2020": lambda wall: SLOW["mt5_eu" if wall.year <= 2019 else "mt5_us"](wall),
    "mt5_eu until 2012 then UTC+2": lambda wall: SLOW["mt5_eu" if wall.year <= 2012 else "UTC+2"](wall),
    "histdata": lambda wall: (
        wall.replace(tzinfo=ZoneInfo("America/New_York")) if wall.year <= 2018 else (wall + timedelta(hours=5)).replace(tzinfo=ZoneInfo("Europe/London"))
    ),
}  # fmt: skip


@settings(max_examples=300)
@given(key=st.sampled_from(sorted(SLOW)), minutes=st.integers(0, 28 * 525_600))
def test_clocks_agree_with_the_standard_library(key, minutes):
    shown = datetime(1998, 1, 1) + timedelta(minutes=minutes)
    aware = SLOW[key](shown)
    utc, bad = to_utc(np.array([ns(shown.isoformat())]), key)
    exists = aware.astimezone(UTC).astimezone(aware.tzinfo).replace(tzinfo=None) == aware.replace(tzinfo=None)
    twice = aware.replace(fold=0).utcoffset() != aware.replace(fold=1).utcoffset()
    assert bool(bad[0]) == (twice or not exists)
    if not bad[0]:
        assert texts(utc) == [aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")]


def test_an_hour_that_happens_twice_is_read_by_the_order_of_its_rows():
    utc = np.arange(ns("2024-11-03T03:00"), ns("2024-11-03T09:00"), HOUR // 12)
    read, bad = to_utc(wall(utc, "America/New_York"), "America/New_York")
    assert not bad.any() and read.tolist() == utc.tolist()


def test_an_hour_that_happens_twice_and_is_there_once_is_reported():
    shown = np.arange(ns("2024-11-03T00:00"), ns("2024-11-03T04:00"), HOUR // 12)
    _, bad = to_utc(shown, "America/New_York")
    assert bad.sum() == 12 and texts(shown[bad])[:1] == ["2024-11-03T01:00"]


def test_an_hour_that_is_there_three_times_is_reported():
    hour = np.arange(ns("2024-11-03T01:00"), ns("2024-11-03T02:00"), HOUR // 12)
    assert to_utc(np.tile(hour, 3), "America/New_York")[1].all() and not to_utc(np.tile(hour, 2), "America/New_York")[1].any()


def test_the_hour_that_is_skipped_is_reported():
    shown = np.arange(ns("2024-03-10T00:00"), ns("2024-03-10T04:00"), HOUR // 12)
    _, bad = to_utc(shown, "America/New_York")
    assert texts(shown[bad]) == texts(shown[24:36])


@pytest.mark.parametrize(("key", "hint"), [("mt5eu", "did you mean 'mt5_eu'"), ("Europe/Pargue", "did you mean 'Europe/Prague'"), ("UTC+99", "no clock named"), ("xyzzy", "any IANA zone")])
def test_an_unknown_clock_is_answered_with_those_there_are(key, hint):
    with pytest.raises(UnknownName, match=hint.replace("+", r"\+")):
        clock(key)


def test_every_registered_clock_says_what_it_is():
    assert list(CLOCKS) == ["UTC", "histdata", "mt5_eu", "mt5_eu_us_2020", "mt5_us"]
    assert all(this.key == key and this.title and this.description.endswith(".") for key, this in CLOCKS.items())


def feed(key: str, start: str, end: str, timeframe=M15, calendar_name="fx") -> np.ndarray:
    """The wall times of a feed that has every bar, on the clock of that key."""
    opens = calendar(calendar_name).expected_opens(ns(start), ns(end), timeframe)
    walls = {"UTC": lambda t: t, "mt5_us": lambda t: wall(t, "America/New_York", 7), "mt5_eu": lambda t: wall(t, "Europe/Athens"), "UTC+3": lambda t: t + 3 * HOUR}
    walls["histdata"] = lambda t: np.where(t < ns("2019-01-01T05:00"), wall(t, "America/New_York"), wall(t, "Europe/London", -5))
    walls["mt5_eu_us_2020"] = lambda t: np.where(t < ns("2019-12-31T22:00"), wall(t, "Europe/Athens"), wall(t, "America/New_York", 7))
    walls["Europe/London"] = lambda t: wall(t, "Europe/London")
    return walls[key](opens)


def test_a_change_that_the_file_does_not_reach_is_no_tie():
    best = infer(feed("histdata", "2017-01-01", "2018-01-01"), M15, "fx")[0]
    assert (best.clock, best.tied, best.certain) == ("America/New_York", (), True)


@pytest.mark.parametrize("calendar_name", ["fx", "metal", "cme"])
@pytest.mark.parametrize("timeframe", [M5, H1])
@pytest.mark.parametrize("key", ["UTC", "mt5_us", "mt5_eu", "UTC+3", "histdata", "mt5_eu_us_2020", "Europe/London"])
def test_a_full_feed_tells_its_clock(key, timeframe, calendar_name):
    best, second, *_ = infer(feed(key, "2018-02-01", "2021-06-01", timeframe, calendar_name), timeframe, calendar_name)
    assert (best.clock, best.tied, best.certain, second.certain) == (key, (), True, False)
    assert best.opens.agree == best.opens.weeks and best.apart.agree == best.apart.weeks > 8


def test_a_change_of_rule_is_found_without_being_among_the_candidates():
    best = infer(feed("mt5_eu_us_2020", "2017-01-01", "2023-01-01"), M15, "fx", ["mt5_us", "mt5_eu", "UTC"])[0]
    assert best.clock == "mt5_eu until 2019 then mt5_us" and best.certain
    assert "one rule until 2019, another from 2020: MetaTrader, New York + 7 h" in best.sentence


def test_a_summer_month_cannot_tell_some_clocks_apart_and_says_so():
    best = infer(feed("mt5_eu", "2024-06-01", "2024-07-05", H1), H1, "fx")[0]
    assert best.tied == ("mt5_eu", "UTC+3") and not best.certain
    assert best.sentence.endswith("no week in which US and EU daylight saving differ; in this file indistinguishable from mt5_eu, UTC+3")


def test_the_servers_own_hours_do_not_hide_its_clock():
    """A broker on EU dates whose week begins at its midnight: an hour of the market is lost in the weeks between the changes."""
    shown = feed("mt5_eu", "2015-01-01", "2019-12-31", H1)
    sunday = (shown // (24 * HOUR) + 3) % 7 == 6
    best, second, *rest = infer(shown[~sunday], H1, "fx")
    assert (best.clock, best.late, best.tied, best.certain) == ("mt5_eu", best.apart.weeks, (), True)
    assert second.clock == "mt5_eu_us_2020" and best.fridays.agree > next(e for e in rest if e.clock == "mt5_us").fridays.agree
    assert f"{best.late} of them one hour late: the feed's trading hours" in best.sentence


def test_nothing_is_claimed_of_daily_bars_or_of_less_than_a_week():
    assert infer(feed("UTC", "2024-01-01", "2024-06-01", D1), D1, "fx") == ()
    assert infer(feed("UTC", "2024-07-08", "2024-07-12", H1), H1, "fx") == ()
    assert infer(np.empty(0, np.int64), H1, "fx") == ()


def test_a_clock_that_fits_nothing_is_not_certain():
    shown = np.arange(ns("2024-01-01"), ns("2024-06-01"), 4 * HOUR) + 90 * HOUR // 60
    result = infer(shown, H4, "fx")
    assert not any(evidence.certain for evidence in result)


def test_rows_out_of_order_tell_the_same():
    shown = feed("mt5_us", "2023-01-01", "2024-01-01", H1)
    assert infer(np.random.default_rng(1).permutation(shown), H1, "fx") == infer(shown, H1, "fx")


@pytest.mark.parametrize("weeks, stated, expected", [(2, "UTC", "UTC"), (2, "histdata", "histdata"), (12, "UTC", "mt5_us"), (12, None, "mt5_us")])
def test_a_zone_that_a_file_states_holds_unless_its_weeks_are_certainly_of_another_clock(weeks, stated, expected):
    ts = fx_bars("2024-02-19", "2024-05-13", H1)["ts"].dt.as_unit("ns").astype("int64").to_numpy()
    shown = wall(ts, "America/New_York", 7)
    evidence = infer(shown[shown < shown[0] + weeks * 7 * 24 * HOUR], H1, "fx")
    assert likely(stated, evidence) == expected and likely(stated, ()) == (stated or "UTC")
