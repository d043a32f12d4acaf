"""Outside data: what features need of it, what a file of it seems to be, and headlines and series as they are read to be kept."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.features import FEATURES, feature, parse
from domain.features.needs import needs
from domain.features.recipes import recipe
from domain.features.sentiment import read_headlines, score, scored
from domain.market.instrument import instrument
from domain.outside.headlines import headlines_of
from domain.outside.recognise import recognise
from domain.outside.series import known_of, read_series, series, series_table


@pytest.fixture
def written(tmp_path):
    def write(content: str | bytes, name: str = "file.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# -- what features need


@pytest.mark.parametrize(("texts", "names", "wanted"), (
    (("atr(14)", "correlation", "minute_of_day_sine"), ("EURUSD",), ((), False, False)),
    (("vix_zscore(20)@H4", "dollar_zscore"), ("EURUSD",), (("DXY", "VIX"), False, False)),
    (("macro_zscore(60, US_INFLATION)",), ("EURUSD",), (("US_INFLATION",), False, False)),
    (("rate_differential_zscore",), ("EURUSD", "USDJPY", "XAUUSD"), (("EU_RATE", "JP_RATE", "US_RATE"), False, False)),
    (("rate_differential",), ("US500",), ((), False, False)),
    (("sentiment(6.0)", "minutes_since_release"), ("EURUSD",), ((), True, True)),
))  # fmt: skip
def test_columns_need_what_they_and_their_inputs_look_at(texts, names, wanted):
    result = needs(map(parse, texts), [instrument(name) for name in names])
    assert (result.series, result.headlines, result.releases) == wanted and result.any == any(wanted)


def test_the_recipes_need_what_their_documents_say():
    euro = [instrument("EURUSD")]
    assert not needs(recipe("basic").uses, euro).any
    assert needs(recipe("vector50").uses, euro) == needs((*recipe("macro").uses, *recipe("sentiment").uses), euro)
    assert needs(recipe("time").uses, euro).releases and not needs(recipe("time").uses, euro).headlines


def test_a_feature_that_does_not_say_which_series_may_look_at_any():
    @feature(unit="1", source="a test")
    def looks_at_all(macro, close):
        return close

    try:
        assert needs([parse("looks_at_all")], [None]).series == tuple(sorted(series()))
    finally:
        del FEATURES._things["looks_at_all"]


# -- what a file seems to be


@pytest.mark.parametrize(("name", "content", "wanted"), (
    ("VIXCLS.csv", "observation_date,VIXCLS\n2024-07-11,12.9\n", ("series", "VIX", True)),
    ("download.csv", "DATE,DGS10\n2024-07-11,4.2\n", ("series", "US10Y", True)),
    ("us_rate-2024.csv", "date,value\n2024-07-11,4.2\n", ("series", "", True)),
    ("fred_DFF.csv.gz", gzip.compress(b"date,value\n2024-07-11,4.2\n", mtime=0), ("series", "US_RATE", True)),
    ("news.csv", "published;title;url\n2024-07-11T12:30:00Z;Dollar slides;x\n", ("headlines", "", True)),
    ("news.csv", "time,headline\n2024-07-11 12:30,Dollar slides\n", ("headlines", "", False)),
    ("week.csv", "ts,title,currency,impact\n2024-07-11 12:30,CPI,USD,high\n", ("releases", "", False)),
    ("week.csv", "datetime_utc,event,country,impact\n2024-07-11 12:30,CPI,USD,high\n", ("releases", "", True)),
    ("week.json", '[{"title":"CPI"}]', ("releases", "", True)),
    ("week.xml", '<?xml version="1.0"?>\n<weeklyevents>', ("releases", "", True)),
))  # fmt: skip
def test_a_file_is_recognised_by_its_beginning(written, name, content, wanted):
    result = recognise(written(content, name))
    assert (result.kind, result.series, result.zoned) == wanted and len(result.preview) >= 1


def test_the_first_rows_are_shown_as_they_stand_and_a_cut_line_is_not(written):
    text = "time,headline\n" + "".join(f"2024-07-11 12:{k % 60:02d},Dollar slides {'x' * 400}\n" for k in range(400))
    result = recognise(written(text))
    assert list(result.preview) == ["time", "headline"] and len(result.preview) == 5 and result.preview["time"].iloc[1] == "2024-07-11 12:01"


def test_a_week_is_shown_as_it_is_read_and_one_that_is_broken_as_it_stands(written):
    week = '[{"title":"CPI","country":"USD","date":"2024-07-11T08:30:00-04:00","impact":"High"}]'
    assert recognise(written(week, "week.json")).preview.to_dict("records") == [dict(ts="2024-07-11 12:30 UTC", title="CPI", currency="USD", impact="high")]
    assert recognise(written(week[:-9], "week.json")).preview["beginning"].tolist() == [week[:-9]]


@pytest.mark.parametrize(("content", "kind"), (
    ("# Notes\n\nNothing, really.\n", "text of an unknown layout"), ("<html><body>Sign in</body></html>", "a web page"), ("a,b\n1,2\n", "text of an unknown layout"), ("\x00\x01\x02", "binary data"),
))  # fmt: skip
def test_a_file_of_none_of_the_kinds_is_refused_with_what_is_needed(written, content, kind):
    with pytest.raises(BadRequest, match=rf"is {kind}.*\. A series has a date in its first column"):
        recognise(written(content))


# -- headlines


def test_headlines_are_read_in_order_once_and_without_what_says_nothing(written):
    read = headlines_of(written('published,title\n2024-07-11T14:31:00+02:00,"Dollar slides, again"\n2024-07-11T12:30:00Z,Stocks soar\n2024-07-11T12:30:00Z,Stocks soar\n2024-07-11T12:45:00Z,\n'))
    assert read.frame["headline"].tolist() == ["Stocks soar", "Dollar slides, again"]
    assert read.frame["ts"].dt.strftime("%H:%M:%S").tolist() == ["12:30:00", "12:31:00"]
    assert read.notes == ("1 row has no text and was left out.", "The headlines were not in the order of their times; they are now.", "1 row was there twice and counted once.")


def test_quotes_of_another_encoding_are_read(written):
    assert headlines_of(written("ts,text\n2024-07-11T12:30:00Z,Fed\x92s pause\n".encode("latin-1"))).frame["headline"].tolist() == ["Fed’s pause"]


@pytest.mark.parametrize(("content", "message"), (
    ("ts,headline\n2024-07-11T12:30:00Z,a\n2024-07-11 12:31,b\n", "row 3 of file.csv has the ts '2024-07-11 12:31', which has no zone"),
    ("ts,headline\n2024-07-11,a\n", "row 2 of file.csv has the ts '2024-07-11', a day without a time of day"),
    ('ts,headline\n2024-07-11T12:30:00Z,"two\nlines"\nnoon,b\n', "row 4 of file.csv has the ts 'noon'; it must be like"),
    ("ts,headline\n2024-07-11T12:30:00Z,\n", "no row of file.csv has a headline"),
    ("when,headline\n2024-07-11T12:30:00Z,a\n", "needs the time at which each appeared, in a column called ts or time or datetime or published"),
    ("ts,words\n2024-07-11T12:30:00Z,a\n", "needs what it says, in a column called headline or title or text"),
))  # fmt: skip
def test_what_is_wrong_with_headlines_is_reported_with_its_row(written, content, message):
    with pytest.raises(BadRequest, match=message):
        headlines_of(written(content))


def test_scores_that_are_kept_are_those_that_are_computed():
    words = ["Stocks plunge", "Dollar rallies", "Fed minutes at 14:00", "Unemployment falls"]
    frame = pd.DataFrame(dict(ts=pd.date_range("2024-07-11", periods=4_100, freq="min", tz="UTC"), headline=np.resize(words, 4_100)))
    shares: list[float] = []
    table = scored(frame, watch=shares.append)
    np.testing.assert_array_equal(table["score"], read_headlines(frame).values)
    assert table["score"].iloc[0] == score("Stocks plunge") and shares == sorted(shares) and len(shares) == 3


# -- series


def test_a_series_is_kept_as_it_is_read_with_what_was_put_right(written):
    path = written("date,close\n2024-07-15,4.23\n2024-07-11,4.20\n2024-07-12,.\n2024-07-11,4.20\n2024-07-15,4.25\n")
    read = series_table(path, "US10Y")
    assert read.frame["date"].dt.strftime("%m-%d").tolist() == ["07-11", "07-15"] and read.frame["value"].tolist() == [4.20, 4.25]
    assert read.frame["published"].dt.strftime("%m-%dT%H:%M").tolist() == ["07-12T22:00", "07-16T22:00"]
    assert read.notes == ("1 date has no value.", "The rows were not in the order of their dates; they are now.", "2 rows were of a date that was there already, 1 with another value: the last one counts.")
    series_, instants = known_of(read.frame), np.sort(read.frame["published"].astype("int64").to_numpy())
    np.testing.assert_array_equal(series_.at(instants), read_series(path, "US10Y").at(instants))


@pytest.mark.parametrize(("content", "message"), (
    ("date,value\n2024-07-11,.\n", "no row of file.csv has a value of VIX"), ("date,value\n2024-07-11,inf\n", "row 2 of the file of VIX has the value"),
    ("date,value\n2024-13-11,1\n", "row 2 of the file of VIX has the date '2024-13-11'"), ("date\n2024-07-11\n", "needs a date and a value"),
))  # fmt: skip
def test_what_is_wrong_with_a_series_is_reported(written, content, message):
    with pytest.raises(BadRequest, match=message):
        series_table(written(content), "VIX")


def test_a_series_that_no_table_has_is_refused(written):
    with pytest.raises(UnknownName, match="did you mean 'US10Y'"):
        series_table(written("date,value\n2024-07-11,1\n"), "US10")
