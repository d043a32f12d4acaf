from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadRequest, UnknownName
from domain.market import CALENDARS, NOWHERE, bar_ends, calendar
from tests.domain.market.makers import D1, H1, H4, M1, M5, M30, ns, texts

DAY, HOUR = 86_400_000_000_000, 3_600_000_000_000
HOURS = {                                   # weekday of the trade date's session, on the wall: (days before, opens, closes)
    "fx": ("America/New_York", [(1, (17, 0), (17, 0))]),
    "metal": ("America/New_York", [(1, (18, 0), (17, 0))]),
    "index": ("America/New_York", [(1, (18, 0), (17, 0))]),
    "cme": ("America/Chicago", [(1, (17, 0), (16, 0))]),
    "grain": ("America/Chicago", [(1, (19, 0), (7, 45)), (0, (8, 30), (13, 20))]),
}


def easter(year: int) -> date:
    """Easter Sunday, Gregorian (the anonymous algorithm printed in Nature, 1876): what pandas' rule is held against."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    shift = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * shift) // 451
    month, day = divmod(h + shift - 7 * m + 114, 31)
    return date(year, month, day + 1)


def slowly_open(name: str, moment: datetime) -> bool:
    """The sentence of the brief, one instant at a time."""
    zone, windows = HOURS[name]
    wall = moment.astimezone(ZoneInfo(zone))
    for ahead in (0, 1):
        trade = wall.date() + timedelta(days=ahead)
        if trade.weekday() > 4 or slowly_shut(name, trade):
            continue
        for before, (oh, om), (ch, cm) in windows:
            opens = datetime(trade.year, trade.month, trade.day, oh, om) - timedelta(days=before)
            closes = datetime(trade.year, trade.month, trade.day, ch, cm)
            if opens <= wall.replace(tzinfo=None) < closes:
                return True
    return False


def slowly_shut(name: str, day) -> bool:
    if name in ("fx", "metal"):
        return (day.month, day.day) in ((12, 25), (1, 1))
    observed = {(12, 25), (1, 1)} | ({(12, 26), (1, 2)} if day.weekday() == 0 else set()) | ({(12, 24)} if day.weekday() == 4 else set())
    return (day.month, day.day) in observed or day == easter(day.year) - timedelta(days=2)


@pytest.mark.parametrize("name", list(HOURS))
@settings(max_examples=60)
@given(minutes=st.integers(0, 30 * 365 * 1440))
def test_open_means_what_the_hours_say(name, minutes):
    moment = datetime(2000, 1, 3, tzinfo=UTC) + timedelta(minutes=minutes)
    assert bool(calendar(name).is_open(int(moment.timestamp()) * 10**9)) == slowly_open(name, moment)


@pytest.mark.parametrize("name", list(HOURS))
@pytest.mark.parametrize("start", ["2024-03-07", "2024-03-28", "2024-10-24", "2024-10-31", "2023-12-21", "2022-12-23", "2021-12-23", "2024-06-30"])
def test_every_half_hour_of_the_weeks_around_clock_changes_and_holidays(name, start):
    moments = [datetime.fromisoformat(start).replace(tzinfo=UTC) + timedelta(minutes=15 * k) for k in range(13 * 96)]
    result = calendar(name).is_open(np.array([int(m.timestamp()) for m in moments]) * 10**9)
    assert result.tolist() == [slowly_open(name, m) for m in moments]


def test_fx_sessions_abut_and_follow_new_york_through_its_clock_change():
    opens, closes = calendar("fx").sessions(ns("2024-03-07T00:00"), ns("2024-03-13T00:00"))
    assert texts(opens) == ["2024-03-06T22:00", "2024-03-07T22:00", "2024-03-10T21:00", "2024-03-11T21:00", "2024-03-12T21:00"]
    assert texts(closes) == ["2024-03-07T22:00", "2024-03-08T22:00", "2024-03-11T21:00", "2024-03-12T21:00", "2024-03-13T21:00"]


def test_sessions_overlapping_a_span_are_whole_and_none_is_left_out():
    opens, closes = calendar("fx").sessions(ns("2024-07-10T12:00"), ns("2024-07-10T12:01"))
    assert texts(opens) + texts(closes) == ["2024-07-09T21:00", "2024-07-10T21:00"]
    assert len(calendar("fx").sessions(ns("2024-07-13T00:00"), ns("2024-07-14T21:00"))[0]) == 0


def test_stretches_join_what_abuts():
    opens, closes = calendar("fx").stretches(ns("2024-07-08T00:00"), ns("2024-07-12T00:00"))
    assert texts(opens) + texts(closes) == ["2024-07-07T21:00", "2024-07-12T21:00"]
    assert len(calendar("metal").stretches(ns("2024-07-08T00:00"), ns("2024-07-12T00:00"))[0]) == 5


def test_session_of_says_nowhere_at_the_weekend():
    opens, closes = calendar("cme").session_of(np.array([ns("2024-07-13T12:00"), ns("2024-07-10T12:00")]))
    assert opens[0] == closes[0] == NOWHERE and texts(opens[1:]) == ["2024-07-09T22:00"] and texts(closes[1:]) == ["2024-07-10T21:00"]


@settings(max_examples=50)
@given(a=st.integers(0, 500 * 1440), b=st.integers(0, 4 * 1440), name=st.sampled_from(sorted(HOURS)))
def test_open_time_is_the_count_of_open_minutes(a, b, name):
    start = ns("2023-11-01") + a * HOUR // 60
    minutes = start + np.arange(b) * (HOUR // 60)
    expected = int(calendar(name).is_open(minutes).sum()) * HOUR // 60 if b else 0
    assert int(calendar(name).open_time(start, start + b * HOUR // 60)) == expected


@pytest.mark.parametrize(
    ("timeframe", "calendar_name", "ts", "ends"),
    [
        (M5, None, ["2024-07-10T10:00", "2024-07-10T10:05"], ["2024-07-10T10:05", "2024-07-10T10:10"]),
        (H1, None, ["2024-07-10T10:00", "2024-07-10T10:30"], ["2024-07-10T10:30", "2024-07-10T11:30"]),
        (D1, "fx", ["2024-07-09T21:00", "2024-07-10T21:00"], ["2024-07-10T21:00", "2024-07-11T21:00"]),
        (D1, "fx", ["2024-01-10T00:00", "2024-01-11T00:00"], ["2024-01-10T22:00", "2024-01-11T22:00"]),
        (D1, "fx", ["2024-07-14T00:00", "2024-07-15T00:00"], ["2024-07-15T00:00", "2024-07-15T21:00"]),      # a Sunday bar ends before Monday's
        (D1, "fx", ["2024-07-13T00:00"], ["2024-07-15T21:00"]),                                              # outside: the next session's close
        (D1, "cme", ["2020-04-20T00:00", "2020-04-21T00:00"], ["2020-04-20T21:00", "2020-04-21T21:00"]),
        (D1, "grain", ["2024-01-10T00:00"], ["2024-01-10T19:20"]),                                           # 13:20 Chicago of its trade date
        (D1, "grain", ["2024-07-10T00:00"], ["2024-07-10T18:20"]),
        (D1, "index", ["2024-03-29T00:00"], ["2024-04-01T21:00"]),                                           # Good Friday is shut
    ],
)  # fmt: skip
def test_bars_are_known_at_their_ends(timeframe, calendar_name, ts, ends):
    assert texts(bar_ends(np.array([ns(t) for t in ts]), timeframe, calendar_name)) == ends


def test_daily_bars_without_a_calendar_are_refused():
    with pytest.raises(BadRequest, match="D1 bars end when their session closes, and no calendar is named"):
        bar_ends(np.array([0]), D1)


@pytest.mark.parametrize("name", list(HOURS))
@pytest.mark.parametrize("timeframe", [M5, M30, H1, H4, D1])
def test_no_bar_ends_after_the_next_begins_and_ends_rise(name, timeframe):
    ts = calendar(name).expected_opens(ns("2023-10-01"), ns("2024-04-30"), timeframe)
    ends = bar_ends(ts, timeframe, name)
    assert (ends > ts).all() and (ends[:-1] <= ts[1:]).all() and (np.diff(ends) > 0).all()


@pytest.mark.parametrize("name", list(HOURS))
def test_expected_minutes_are_exactly_the_open_ones(name):
    start, end = ns("2024-03-06T05:00"), ns("2024-03-14T05:00")
    minutes = np.arange(start, end, HOUR // 60)
    assert calendar(name).expected_opens(start, end, M1).tolist() == minutes[calendar(name).is_open(minutes)].tolist()


def test_an_hour_that_is_open_for_a_part_is_expected():
    hours = texts(calendar("grain").expected_opens(ns("2024-07-10T00:00"), ns("2024-07-11T00:00"), H1))
    assert hours[-6:] == ["2024-07-10T13:00", "2024-07-10T14:00", "2024-07-10T15:00", "2024-07-10T16:00", "2024-07-10T17:00", "2024-07-10T18:00"]


def test_a_bar_that_begins_before_its_session_and_before_the_spans_end_is_expected():
    assert texts(calendar("grain").expected_opens(ns("2024-07-10T13:00"), ns("2024-07-10T13:15"), H1)) == ["2024-07-10T13:00"]


def test_four_hour_bars_begin_with_the_trading_day():
    assert texts(calendar("metal").expected_opens(ns("2024-07-09T21:00"), ns("2024-07-10T21:00"), H4)) == [
        "2024-07-09T22:00", "2024-07-10T02:00", "2024-07-10T06:00", "2024-07-10T10:00", "2024-07-10T14:00", "2024-07-10T18:00",
    ]  # fmt: skip


def test_holidays_are_named():
    named = calendar("cme").holidays(ns("2024-11-25"), ns("2025-01-05"))
    assert {day.isoformat(): what for day, what in named.items()} == {
        "2024-11-28": ("Thanksgiving", False), "2024-11-29": ("day after Thanksgiving", False), "2024-12-24": ("Christmas Eve", False), "2024-12-25": ("Christmas", True),
        "2024-12-26": ("Boxing Day", False), "2024-12-31": ("New Year's Eve", False), "2025-01-01": ("New Year", True), "2025-01-02": ("day after New Year", False),
    }  # fmt: skip


def test_an_unknown_calendar_is_given_the_nearest():
    with pytest.raises(UnknownName, match="no session calendar named 'metals'; did you mean 'metal'"):
        calendar("metals")
    assert sorted(CALENDARS) == sorted(HOURS)


def test_years_beyond_the_tables_are_refused_not_guessed():
    with pytest.raises(BadRequest, match="knows the years 1950 to 2100"):
        bar_ends(np.array([ns("2150-01-01")]), D1, "fx")


def test_no_open_time_is_lost_between_the_opens_of_ten_years():
    fx = calendar("fx")
    ts = fx.expected_opens(ns("2014-01-01"), ns("2024-01-01"), H1)
    assert len(ts) > 62_000 and not fx.open_time(ts[:-1] + H1.nanoseconds, ts[1:]).any()
