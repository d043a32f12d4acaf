"""Dukascopy's archive: hours that are empty, lost or damaged, days of trading, and what is not there yet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.market import Timeframe, frame, instrument
from domain.market.source import Page, Request, Span
from domain.venues import SOURCES, VENDORS
from tests.conformance.source_rig import HOUR, NOON, Skipped
from tests.doubles.dukascopy import DukascopyDouble
from worker.vendors import connection_to

SOURCE = SOURCES["dukascopy"]
EURUSD = instrument("EURUSD")
START = NOON - 4 * HOUR         # Wednesday, 08:00


def hours(first: int, count: int, without: tuple[int, ...] = ()) -> pd.DataFrame:
    """Bars of hours from ``first`` on, but for those whose place is in ``without``."""
    place = np.array([k for k in range(count) if k not in without])
    price = np.round(1.1 + place / 10_000, 5)
    return frame(first + place * HOUR, open=price, high=np.round(price + 0.00002, 5), low=np.round(price - 0.00002, 5), close=np.round(price + 0.00001, 5), spread=np.full(len(place), 0.00004))


def pages_of(double: DukascopyDouble, span: Span, timeframe: str = "H1", at: int = NOON, traded: str = "EURUSD") -> tuple[Page, ...]:
    skipped = Skipped()
    with double.serve() as address:
        connection = connection_to(VENDORS["dukascopy"], {"TIDEMARK_DUKASCOPY_URL": address}, clock=skipped.clock)
        connection.pace = None
        request = Request(instrument(traded), Timeframe.named(timeframe), span, at)
        return tuple(SOURCE.page(request, part, connection) for part in SOURCE.plan(request))


def test_an_empty_hour_inside_a_session_is_requested_again_and_then_named():
    double = DukascopyDouble({"EURUSD": hours(START, 4, without=(1,))})
    (page,) = pages_of(double, Span(START, NOON))
    assert len(page.bars) == 3
    assert [(each.span, each.reason, "queried twice" in each.sentence) for each in page.missing] == [(Span(START + HOUR, START + 2 * HOUR), "empty", True)]
    assert [request.path.rsplit("/", 1)[1] for request in double.requests] == ["08h_ticks.bi5", "09h_ticks.bi5", "10h_ticks.bi5", "11h_ticks.bi5", "09h_ticks.bi5"]
    assert "/EURUSD/2024/06/10/" in double.requests[0].path         # July


def test_an_hour_that_was_lost_once_is_there_the_second_time():
    double = DukascopyDouble({"EURUSD": hours(START, 4)})
    double.lost.add("EURUSD/2024/06/10/10h_ticks.bi5")
    (page,) = pages_of(double, Span(START, NOON))
    assert len(page.bars) == 4 and page.missing == () and len(double.requests) == 5
    assert page.bars["open"].tolist() == hours(START, 4)["open"].tolist() and page.bars["volume"].tolist() == [4.0] * 4


def test_a_file_that_stays_damaged_is_named_and_the_others_are_kept():
    double = DukascopyDouble({"EURUSD": hours(START, 2)})
    double.fail("broken", times=6)
    (page,) = pages_of(double, Span(START, START + 2 * HOUR))
    assert len(page.bars) == 1 and [(each.span.start, each.reason) for each in page.missing] == [(START, "failed")]
    assert len(double.requests) == 7


def test_gold_has_points_of_a_thousandth_and_bars_of_five_minutes():
    opens = START + np.arange(12) * (HOUR // 12)
    price = np.round(2_000.5 + np.arange(12) / 100, 2)
    bars = frame(opens, open=price, high=price + 1, low=price - 1, close=price, spread=np.full(12, 0.2))
    (page,) = pages_of(DukascopyDouble({"XAUUSD": bars}, 1_000, HOUR // 12), Span(START, START + HOUR), "M5", traded="XAUUSD")
    assert page.bars["open"].tolist() == price.tolist() and page.bars["spread"].tolist() == [0.2] * 12 and page.missing == ()


def test_a_day_is_made_of_the_ticks_of_its_whole_trading_day():
    """It begins at 21:00 UTC in summer, and ends a day later: in the next page's week, or not yet."""
    monday = int(np.datetime64("2024-07-07T21:00", "ns").astype(np.int64))
    bars = hours(monday, 48)
    pages = pages_of(DukascopyDouble({"EURUSD": bars}), Span(monday - HOUR, monday + 40 * HOUR), "D1", at=monday + 47 * HOUR)
    days = pd.concat([page.bars for page in pages], ignore_index=True)
    assert [str(ts)[:16] for ts in days["ts"]] == ["2024-07-07 21:00"]         # the second day is not closed
    assert (days["open"][0], days["close"][0], days["volume"][0]) == (bars["open"][0], bars["close"][23], 96.0)


def test_the_hour_that_is_not_over_and_the_years_before_2003_are_named_beforehand():
    minutes = Request(EURUSD, Timeframe.named("M5"), Span(NOON - HOUR, NOON + HOUR), NOON + HOUR // 2)
    (late,) = SOURCE.unavailable(minutes)
    assert (late.span, late.reason) == (Span(NOON, NOON + HOUR), "open") and "by the hour when it is over" in late.sentence
    old = int(np.datetime64("2003-01-01", "ns").astype(np.int64))
    (early,) = SOURCE.unavailable(Request(EURUSD, Timeframe.named("H1"), Span(old, old + 400 * 24 * HOUR), NOON))
    assert early.reason == "limit" and early.sentence.endswith("begin at 2003-05-04T21:00Z")


def test_a_future_is_none_of_dukascopys():
    with pytest.raises(BadRequest, match="Dukascopy has no ES=F: it has currency pairs"):
        SOURCE.symbol(instrument("ES=F"))
