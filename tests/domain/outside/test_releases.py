"""Calendars of releases: three shapes of file, what is left out of them, and what is wrong with one told with its row."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.features import Context, compute, use
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.outside.releases import concerning, read_releases

HEAD = "datetime_utc,event,country,impact,source\n"
XML = '<?xml version="1.0" encoding="windows-1252"?>\n<weeklyevents>{}</weeklyevents>'
EVENT = "<event><title>{}</title><country>{}</country><date><![CDATA[{}]]></date><time><![CDATA[{}]]></time><impact><![CDATA[{}]]></impact><forecast /></event>"


def event(title="CPI", country="USD", date="07-11-2024", time="12:30pm", impact="High") -> str:
    return EVENT.format(title, country, date, time, impact)


def sample(**more) -> dict:
    return dict(title="CPI", country="USD", date="2024-07-11T08:30:00-04:00", impact="High", forecast="", previous="") | more


@pytest.fixture
def written(tmp_path):
    def write(content: str | bytes, name: str = "calendar.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def rows(read) -> list[tuple]:
    return [(f"{row.ts:%Y-%m-%dT%H:%M}", row.title, row.currency, row.impact) for row in read.frame.itertuples()]


WANTED = [("2024-07-11T12:30", "CPI", "USD", "high"), ("2024-07-11T14:00", "Speech", "EUR", "low")]


@pytest.mark.parametrize(("name", "content"), (
    ("a.csv", HEAD + "2024-07-11T14:00:00,Speech,Germany,low,x\n2024-07-11 12:30,CPI,United States,high,\n"),
    ("a.csv", "ts;name;currency;impact\n2024-07-11T14:30:00+02:00;CPI;usd;HIGH\n\n2024-07-11T14:00Z;Speech;EUR;Low\n"),
    ("a.json", json.dumps([sample(), sample(title="Speech", country="EUR", date="2024-07-11T10:00:00-04:00", impact="Low")])),
    ("a.xml", XML.format(event() + event("Speech", "EUR", time="2:00pm", impact="Low"))),
    ("a.csv.gz", gzip.compress(f"{HEAD}2024-07-11T12:30:00Z,CPI,US,high,\n2024-07-11T14:00:00Z,Speech,EA,low,\n".encode(), mtime=0)),
))  # fmt: skip
def test_every_shape_gives_the_same_releases(written, name, content):
    assert rows(read_releases(written(content, name))) == WANTED


def test_what_has_no_instant_no_currency_or_is_no_release_is_left_out_and_reported(written):
    week = event() + event("Holiday", "JPY", time="All Day", impact="Holiday") + event("Meetings", "All", time="All Day") + event("GDP", "GBP", time="19th-24th") + event("Rate", "Atlantis") + event("Talks", "All", time="12:00am")
    read = read_releases(written(XML.format(week)))
    assert rows(read) == [("2024-07-11T00:00", "Talks", "ALL", "high"), ("2024-07-11T12:30", "CPI", "USD", "high")]
    assert read.notes == (
        "2 events have no time of day, such as All Day or Tentative, and are left out.", "1 event is no release, such as a holiday, and is left out.",
        "1 event is of no known currency and left out: Atlantis.", "The releases were not in the order of their times; they are now.",
    )  # fmt: skip


def test_what_is_there_twice_counts_once(written):
    read = read_releases(written(HEAD + "2024-07-11,Day,US,low,\n" + 3 * "2024-07-11T12:30:00,CPI,US,high,\n"))
    assert len(read.frame) == 1 and read.notes == ("1 row has no time of day, such as All Day or Tentative, and is left out.", "2 rows were there twice and counted once.")


@pytest.mark.parametrize(("content", "message"), (
    ("date,event,country,impact\n2024-07-11 12:30,CPI,US,high\n", r"row 2 of calendar.csv has the date '2024-07-11 12:30', which has no zone; say that the times are in UTC"),
    (HEAD + "2024-07-11T12:30,CPI,US,high,\n11.07.2024 12:30,CPI,US,high,\n", r"row 3 of calendar.csv has the datetime_utc '11.07.2024 12:30'; it must be like 2024-07-11T12:30:00Z"),
    (HEAD + "2024-02-30T12:30,CPI,US,high,\n", "'2024-02-30T12:30', and there is no such time"),
    (HEAD + "0024-02-20T12:30,CPI,US,high,\n", "its year must lie from 1900 to 2199"),
    (HEAD + "2024-07-11T12:30,CPI,US,enormous,\n", "row 2 of calendar.csv has the impact 'enormous'; it must be low, medium or high"),
    (HEAD + "2024-07-11T12:30,CPI, core,US,high,\n", "row 2 of calendar.csv has 6 values where its first line names 5; put values that hold a separator in quotes"),
    (HEAD + "2024-07-11T12:30,CPI,Atlantis,high,\n", "holds no release with a time of day and a currency. 1 row is of no known currency and left out: Atlantis"),
    (HEAD, "has no row under its first line"),
    ("datetime_utc,event,impact\n2024-07-11T12:30,CPI,high\n", "needs whose it is, in a column called country or currency"),
    ("datetime_utc,event,event,impact\n", "two columns of the same name"),
    ("[{]", "is not JSON: it cannot be read from line 1, column 3 on"), ('{"a": 1}', "JSON, but no list of releases"), ("[1]", "JSON, but no list of releases"),
    (json.dumps([sample(), dict(title="CPI", country="USD")]), "event 2 of calendar.csv has no date, impact"),
    (json.dumps([sample(date="tomorrow")]), "event 1 of calendar.csv has the date 'tomorrow'; it must be like"),
    (json.dumps([sample(impact="Huge")]), "event 1 of calendar.csv has the impact 'Huge'"),
    (XML.format(event()) + "<more>", "is incomplete XML"), (XML.format(""), "is XML, but holds no event"),
    (XML.format("<event><title>CPI</title></event>"), "event 1 of calendar.csv has no country, date, time, impact"),
    (XML.format(event(time="25:00pm")), "event 1 of calendar.csv is at '07-11-2024' '25:00pm'; it must be like 12-31-2024 1:30pm"),
    ('<!DOCTYPE a [<!ENTITY b "c">]>' + "<weeklyevents>&b;</weeklyevents>", "declares types or entities of its own"),
    ('<?xml version="1.0"?><!DOCTYPE weeklyevents SYSTEM "file:///etc/hostname"><weeklyevents/>', "declares types or entities of its own"),
))  # fmt: skip
def test_what_is_wrong_is_reported_with_its_place(written, content, message):
    with pytest.raises(BadRequest, match=message):
        read_releases(written(content))


def test_times_without_a_zone_are_taken_for_utc_where_it_is_stated(written):
    path = written("date,event,country,impact\n2024-07-11 12:30,CPI,US,high\n")
    assert rows(read_releases(path, utc=True)) == WANTED[:1]


def test_a_week_of_more_than_the_limit_is_refused(written):
    for content in (XML.format(3 * event()), HEAD + 3 * "2024-07-11T12:30,CPI,US,high,\n"):
        with pytest.raises(BadRequest, match="more than 2"):
            read_releases(written(content), max_rows=2)
    with pytest.raises(BadRequest, match="limit"):
        read_releases(written(XML.format(3 * event())), max_bytes=200)


def test_a_releases_own_currencies_and_impact_decide_what_concerns_an_instrument():
    at = pd.to_datetime([f"2024-07-{day:02d}T12:30Z" for day in range(1, 7)])
    frame = pd.DataFrame(dict(ts=at, title="x", currency=["EUR", "USD", "JPY", "ALL", "USD", "USD"], impact=["high", "medium", "high", "high", "low", "high"]))
    days = {name: [pd.Timestamp(moment).day for moment in concerning(frame, instrument(name))] for name in ("EURUSD", "USDJPY", "XAUUSD", "US500")}
    assert days == {"EURUSD": [1, 4, 6], "USDJPY": [3, 4, 6], "XAUUSD": [4, 6], "US500": [4, 6]}
    assert [pd.Timestamp(moment).day for moment in concerning(frame, instrument("XAUUSD"), "medium")] == [2, 4, 6] and len(concerning(frame, instrument("XAUUSD"), "low")) == 4
    with pytest.raises(UnknownName, match="no impact of a release named 'hihg'; did you mean 'high'"):
        concerning(frame, instrument("EURUSD"), "hihg")


def test_minutes_count_to_the_releases_that_concern(written):
    read = read_releases(written(HEAD + "2024-07-11T12:30:00,CPI,US,high,\n2024-07-11T09:00:00,PPI,Japan,high,\n"))
    ts = pd.date_range("2024-07-11T08:00", periods=6, freq="h", tz="UTC")
    bars = pd.DataFrame({"ts": ts, **{name: 1.1 for name in ("open", "high", "low", "close")}})
    context = Context(instrument("EURUSD"), Timeframe.named("H1"), releases=concerning(read.frame, instrument("EURUSD")))
    frame = compute(bars, [use("minutes_to_release"), use("minutes_since_release")], context)
    np.testing.assert_array_equal(frame["minutes_to_release"], [210, 150, 90, 30, np.nan, np.nan])
    np.testing.assert_array_equal(frame["minutes_since_release"], [np.nan, np.nan, np.nan, np.nan, 30, 90])
