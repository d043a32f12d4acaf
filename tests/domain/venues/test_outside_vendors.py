"""FRED's publications, addresses of documents, and feeds that mean harm."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.outside.headlines import headlines_of
from domain.outside.recognise import recognise
from domain.outside.source import OutsideRequest
from domain.venues import VENDORS, fred
from domain.venues.document import address_of
from tests.conformance.outside_rig import Fred, reached
from tests.doubles.documents import RSS
from tests.doubles.fred import FredDouble


class Many(Fred):
    """A daily series of ten years: its archive begins in the middle of the first, and a value came late."""

    days: ClassVar = [date(2010, 1, 4) + timedelta(days=k) for k in range(2_100)]
    begin = date(2010, 6, 1)

    def double(self):
        rows = [(day.isoformat(), max(day + timedelta(days=1), self.begin).isoformat(), f"{k}.5") for k, day in enumerate(self.days)]
        rows[2_000] = (rows[2_000][0], (self.days[2_000] + timedelta(days=9)).isoformat(), rows[2_000][2])
        rows.append((rows[0][0], "2015-01-01", "999"))         # a revision
        return FredDouble({"DGS10": rows}, most_rows=900)

    def request(self, address):
        return OutsideRequest("US10Y")


@pytest.fixture(scope="module")
def fetched():
    with reached(Many()) as (double, request, connection, _):
        return Many().source().fetch(request, connection), double


def test_fred_is_requested_page_by_page_of_rows_and_of_publications(fetched):
    read, double = fetched
    frame = read.frame
    assert frame["value"].tolist() == [k + 0.5 for k in range(2_100)] and frame["date"].is_monotonic_increasing
    periods = dict.fromkeys((requested.query["realtime_start"], requested.query["realtime_end"]) for requested in double.requests if "observations" in requested.path)
    assert len(periods) == 2 and [*periods][-1][1] == "9999-12-31"


def test_fred_values_count_from_their_publication_and_older_ones_by_the_usual_lag(fetched):
    read, _ = fetched
    known = read.frame["published"].dt.strftime("%Y-%m-%dT%H:%M").tolist()
    assert known[0] == "2010-01-05T22:00"           # Monday, 4 January, a weekday later: the archive does not reach back
    assert known[1_000] == (Many.days[1_000] + timedelta(days=1)).strftime("%Y-%m-%dT22:00")
    late = (Many.days[2_000] + timedelta(days=9)).strftime("%Y-%m-%dT22:00")
    assert known[2_000:2_009] == [late] * 9         # the next ones were out before, but are never known before an older one
    assert "147 values were published before FRED's archive of publications begins on 2010-06-01" in read.notes[1]
    assert np.all(np.diff(read.frame["published"].astype("int64")) >= 0)


def test_fred_is_requested_the_wanted_dates_only():
    with reached(Many()) as (double, _, connection, _):
        read = Many().source().fetch(OutsideRequest("US10Y", start=date(2012, 1, 1), end=date(2012, 1, 31)), connection)
    assert len(read.frame) == 31 and all(requested.query["observation_start"] == "2012-01-01" for requested in double.requests if "observations" in requested.path)


def test_a_key_is_requested_and_a_wrong_one_is_named_without_being_shown():
    with pytest.raises(BadRequest, match="FRED needs a key in the environment variable TIDEMARK_FRED_KEY, which is not set"):
        VENDORS["fred"].require({})
    with reached(Fred()) as (_, request, connection, skipped):
        connection.keys = {"TIDEMARK_FRED_KEY": "wrongwrongwrong"}
        with pytest.raises(BadRequest, match="FRED does not take the key; check TIDEMARK_FRED_KEY") as refused:
            Fred().source().fetch(request, connection)
    assert "wrong" not in str(refused.value) and skipped.waited == 0 and "wrong" not in repr(connection)


def test_a_series_that_is_not_freds_is_refused_before_anybody_is_requested():
    for name in ("DXY", "nothing"):
        with pytest.raises(BadRequest, match=f"FRED has no series '{name}' of our table; it has USD_BROAD, VIX, US10Y"):
            fred.Fred().check(OutsideRequest(name))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://example.com/x", "is no address of a feed"),
        ("file:///etc/passwd", "is no address of a feed"),
        ("https://", "is no address of a feed"),
        ("https://[x", "is no address of a feed"),
        ("https://me:pass@example.com/x", "holds a name or password, which would be stored"),
        ("https://example.com/x?access_token=1", "holds a key .access_token., which would be stored"),
    ],
)
def test_an_address_that_cannot_be_stored_or_reached_is_refused(url, sentence):
    with pytest.raises(BadRequest, match=sentence) as refused:
        address_of(url, "feed")
    assert "pass@" not in str(refused.value)


def test_feeds_are_recognised_as_files_and_what_they_declare_is_not_followed(tmp_path):
    path = tmp_path / "feed.xml"
    path.write_text(RSS)
    seen, read = recognise(path), headlines_of(path)
    assert (seen.kind, len(seen.preview)) == ("headlines", 2) and read.frame["headline"].tolist() == ["Gold at a record", "Dollar slides after CPI & rates"]
    assert read.notes == ("1 item has no time and was left out.", "The headlines were not in the order of their times; they are now.")
    for text, sentence in {
        RSS.replace("<rss", '<!DOCTYPE rss [<!ENTITY a "b">]><rss'): "declares types or entities of its own",
        RSS.replace("</rss>", ""): "is incomplete XML",
        RSS.replace("08:45:00 -0400", "08:45:00"): "has no zone",
        RSS.replace("Thu, 11 Jul 2024 12:31:00 GMT", "yesterday"): "it must be like Thu, 11 Jul 2024 12:30:00 GMT",
        "<rss><channel><item><title>x</title></item></channel></rss>": "without an item that has a time",
    }.items():
        path.write_text(text)
        with pytest.raises(BadRequest, match=sentence):
            headlines_of(path)
