"""Whether times are those of opens or of closes: made weeks of both kinds, in both seasons, of feeds that keep their own hours."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.market import bar_time, calendar, instrument, readers
from domain.market.zones import DAY, HOUR
from tests.domain.market.makers import D1, H1, M1, M5, M15, M30, fx_bars, ns, own_csv, texts, wall

YEAR = ("2024-01-07", "2024-08-01")     # both seasons, and the weeks in which only one of the US and the EU has daylight saving
MINUTE = HOUR // 60


def opens(timeframe, start=YEAR[0], end=YEAR[1], calendar_name="fx"):
    return calendar(calendar_name).expected_opens(ns(start), ns(end), timeframe)


@pytest.mark.parametrize("timeframe", [M5, M15, M30])
@pytest.mark.parametrize(("zone", "shift"), [("UTC", 0), ("America/New_York", 7), ("Europe/Athens", 0), ("Europe/London", 0)])
def test_closes_and_opens_are_distinguished_without_a_clock(timeframe, zone, shift):
    times = wall(opens(timeframe), zone, shift)
    assert bar_time(times, timeframe, "fx") == ("open", "")
    stamped = bar_time(times + timeframe.nanoseconds, timeframe, "fx")
    assert stamped.at == "close" and stamped.note == f"in 29 of 29 weeks the last bar bears the time of the Friday close: the times are those at which bars close; each begins {timeframe} earlier"


@pytest.mark.parametrize("season", [("2024-01-07", "2024-02-12"), ("2024-06-02", "2024-07-08")])
def test_a_month_of_either_season_is_enough(season):
    for timeframe in (M1, M5):
        times = wall(opens(timeframe, *season), "America/New_York", 7)
        assert (bar_time(times, timeframe, "fx").at, bar_time(times + timeframe.nanoseconds, timeframe, "fx").at) == ("open", "close")


def test_hours_tell_only_on_a_stated_clock():
    times = opens(H1)
    assert bar_time(times, H1, "fx", "UTC") == ("open", "")
    assert bar_time(times + HOUR, H1, "fx", "UTC").at == "close"
    assert bar_time(times + HOUR, H1, "fx") == ("open", ""), "UTC+1 explains the same, and gives the same instants"
    server = bar_time(wall(times, "America/New_York", 7) + HOUR, H1, "fx")
    assert server.at == "open" and "so its times may be those at which bars close" in server.note and "--bar-time close" in server.note


def test_opens_on_a_clock_of_half_hours_are_no_closes():
    for zone in ("Asia/Kolkata", "Australia/Adelaide"):
        assert bar_time(wall(opens(M30), zone), M30, "fx").at == "open"
    assert bar_time(wall(opens(M15), "Asia/Kolkata"), M15, "fx").at == "open"


def late_feed(timeframe, minutes, strays):
    """Bars from some minutes after the weekly open on, and in ``strays`` of ten weeks one at the very Friday close."""
    times = opens(timeframe)
    starts, shut = (edge[1:-1] for edge in _weeks())
    for begin in starts:
        times = times[(times < begin) | (times >= begin + minutes * MINUTE)]
    return np.union1d(times, [close for k, close in enumerate(shut) if k % 10 < strays])


def _weeks():
    begin, shut = calendar("fx").stretches(ns(YEAR[0]) - 7 * DAY, ns(YEAR[1]))
    far = np.flatnonzero(begin[1:] - shut[:-1] > DAY)
    return begin[far + 1], shut[far]


def test_feeds_that_open_late_and_have_a_stray_bar_at_the_close_stay_opens():
    for timeframe in (M1, M5):
        assert bar_time(late_feed(timeframe, 5 if timeframe == M1 else 15, 0), timeframe, "fx", "UTC") == ("open", "")
        assert bar_time(late_feed(timeframe, 5 if timeframe == M1 else 15, 3), timeframe, "fx", "UTC") == ("open", "")
    doubtful = bar_time(late_feed(M1, 5, 10), M1, "fx", "UTC")
    assert doubtful.at == "open" and "may be those at which bars close" in doubtful.note
    assert bar_time(late_feed(M5, 0, 10), M5, "fx", "UTC").at == "open", "a bar at the open cannot be one that ends there"


def test_too_few_weeks_are_remarked_and_not_decided():
    times = opens(M5, "2024-01-07", "2024-01-22")
    stamped = bar_time(times + 5 * MINUTE, M5, "fx", "UTC")
    assert stamped.at == "open" and stamped.note.startswith("in 2 of 2 weeks the last bar bears the time of the Friday close, so its times may be")
    assert bar_time(times, M5, "fx", "UTC") == ("open", "")
    assert bar_time(opens(D1), D1, "fx", "UTC") == ("open", "")


def test_the_choice_goes_before_weeks_and_format():
    times = opens(M5)
    assert bar_time(times + 5 * MINUTE, M5, "fx", "UTC", chosen="open").at == "open"
    assert bar_time(times, M5, "fx", "UTC", chosen="close") == ("close", "its times are read as those at which bars close, as chosen")
    with pytest.raises(BadRequest, match="the time stamp of bars is 'end'; give open or close"):
        readers.ColumnMapping(columns=dict(time=1, open=2, high=3, low=4, close=5), bar_time="end")


def test_a_format_decides_where_the_weeks_do_not():
    short = opens(M5, "2024-01-08", "2024-01-10")
    assert bar_time(short, M5, "fx", by_format="close") == ("close", "files of its format or series are stamped at bar close; each begins M5 earlier")
    assert "do not show" in bar_time(short, M5, "fx", by_format="either").note
    assert bar_time(opens(M5), M5, "fx", by_format="close") == ("open", "files of its format or series are stamped at bar close, but its weeks show that the times are those of opens")
    assert bar_time(opens(M5), M5, "fx", by_format="either") == ("open", "")
    days = np.arange(0, 20 * DAY, DAY)
    assert (bar_time(days, D1, "fx", by_format="close").at, bar_time(days + 17 * HOUR, D1, "fx", by_format="close").at) == ("open", "close")


def test_tradestation_and_ninjatrader_text_is_recognised(tmp_path):
    rows = ["01/08/2024,{:02d}:{:02d},1.1,1.2,1.0,1.15,10,12".format(*divmod(minute, 60)) for minute in range(5, 600, 5)]
    text = tmp_path / "EURUSD.txt"
    text.write_text("\n".join(['"Date","Time","Open","High","Low","Close","Up","Down"', *rows, "01/31/2024,10:00,1.1,1.2,1.0,1.15,10,12"]))
    ninja = tmp_path / "EURUSD.Last.txt"
    ninja.write_text("\n".join(f"20240108 {minute // 60:02d}{minute % 60:02d}00;1.1;1.2;1.0;1.15;7" for minute in range(1, 99)))
    plain = own_csv(tmp_path / "plain.csv", fx_bars("2024-01-08", "2024-01-09"))
    stamps = [readers.read(path, readers.recognise(path).format, instrument("EURUSD")).bar_time for path in (text, ninja, plain)]
    assert stamps == ["close", "either", ""]
    assert texts(readers.read(text, "csv", instrument("EURUSD")).local_ns)[0] == "2024-01-08T00:05"
