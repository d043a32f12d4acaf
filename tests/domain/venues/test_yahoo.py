"""What is Yahoo's own: days of London, limits of 30, 60 and 730 days, half hours made of quarters, quotes of the moment, rolls."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.market import Timeframe, frame, instrument, ts_of
from domain.market.source import Page, Request, Span
from domain.market.zones import DAY
from domain.venues.yahoo import Yahoo
from tests.conformance.source_rig import HOUR, NOON, Skipped, random_bars
from tests.conformance.source_yahoo import YahooFX
from tests.doubles.yahoo import YahooDouble

SOURCE = Yahoo()
MIDNIGHT = NOON - 12 * HOUR     # of Wednesday, 10 July 2024


def request(name: str, timeframe: str, start: int, end: int, at: int = NOON) -> Request:
    return Request(instrument(name), Timeframe.named(timeframe), Span(start, end), at)


def pages(requested: Request, bars: dict[tuple[str, str], pd.DataFrame], now: int = NOON) -> list[Page]:
    double = YahooDouble(bars, now // 1_000_000_000)
    with double.serve() as address:
        connection = YahooFX().connection(address, Skipped().clock)
        answers = [SOURCE.page(requested, span, connection) for span in SOURCE.plan(requested)]
    return answers


def london_days(count: int) -> pd.DataFrame:
    """Daily bars as Yahoo stamps them in summer: at midnight in London, 23:00 UTC of the day before; the last is 10 July."""
    ts = MIDNIGHT - HOUR - DAY * np.arange(count)[::-1]
    price = 1.1 + 0.001 * np.arange(count)
    return frame(ts, open=price, high=price + 0.002, low=price - 0.002, close=price + 0.001)


@pytest.mark.parametrize(("hours", "last"), [(21.5, "2024-07-09"), (23.9, "2024-07-09"), (24.5, "2024-07-10")])
def test_a_day_of_fx_is_taken_when_it_is_over_in_london_and_named_until_then(hours, last):
    at = MIDNIGHT + int(hours * HOUR)
    requested = request("EURUSD", "D1", MIDNIGHT - 8 * DAY, MIDNIGHT + DAY, at)
    (page,) = pages(requested, {("EURUSD=X", "1d"): london_days(9)}, at)
    assert str(page.bars["ts"].iloc[-1])[:10] == last and set(page.bars["ts"].dt.hour) == {0}
    assert [missing.reason for missing in SOURCE.unavailable(requested)] == (["open"] if last == "2024-07-09" else [])
    assert "00:00 UTC" in page.notes[0] and "volume" not in page.bars


@pytest.mark.parametrize(("timeframe", "days"), [("M1", 30), ("M5", 60), ("M15", 60), ("M30", 60), ("H1", 730)])
def test_what_lies_too_far_back_is_named_and_never_silently_left_out(timeframe, days):
    requested = request("EURUSD", timeframe, NOON - 800 * DAY, NOON)
    (limit,) = SOURCE.unavailable(requested)
    assert limit.reason == "limit" and f"of the last {days} days" in limit.sentence
    assert limit.span.start == requested.span.start and 0 <= limit.span.end - (NOON - days * DAY) <= 2 * HOUR
    assert SOURCE.plan(requested)[0].start == limit.span.end
    assert SOURCE.unavailable(request("EURUSD", "D1", NOON - 800 * DAY, NOON - DAY)) == ()


def test_minutes_are_requested_a_week_at_most_at_a_time():
    plan = SOURCE.plan(request("EURUSD", "M1", NOON - 40 * DAY, NOON))
    assert max(span.end - span.start for span in plan) == 7 * DAY and len(plan) == 5


def test_a_limit_that_yahoo_has_moved_is_named_with_its_words():
    requested = request("EURUSD", "M1", NOON - 29 * DAY, NOON - 28 * DAY)
    later = pages(requested, {("EURUSD=X", "1m"): random_bars(timeframe="M1", days=1, spread=None, volume=False)}, NOON + 10 * DAY)
    assert [missing.reason for page in later for missing in page.missing] == ["limit"] and "within the last 30 days" in later[0].missing[0].sentence


def test_half_hours_are_made_of_quarters():
    quarters = random_bars(timeframe="M15", days=2, spread=None, volume=False)
    start = NOON - 20 * HOUR
    (page,) = pages(request("EURUSD", "M30", start, NOON), {("EURUSD=X", "15m"): quarters})
    half = page.bars.iloc[5]
    inside = quarters[(quarters["ts"] >= half["ts"]) & (quarters["ts"] < half["ts"] + pd.Timedelta(minutes=30))]
    assert len(inside) == 2 and (half["open"], half["high"], half["low"], half["close"]) == (inside["open"].iloc[0], inside["high"].max(), inside["low"].min(), inside["close"].iloc[-1])


def test_rows_without_a_price_and_the_quote_of_this_moment_are_no_bars():
    hours = random_bars(days=3, spread=None, volume=False).iloc[:-1]
    empty = hours.copy()
    empty.loc[empty.index[4], ["open", "high", "low", "close"]] = np.nan
    quote = frame(np.array([NOON - HOUR // 7]), **dict.fromkeys(("open", "high", "low", "close"), np.array([1.1])))
    (page,) = pages(request("EURUSD", "H1", NOON - 60 * HOUR, NOON), {("EURUSD=X", "1h"): pd.concat([empty, quote], ignore_index=True)})
    expected = hours.drop(index=hours.index[4])
    assert ts_of(page.bars).tolist() == ts_of(expected[ts_of(expected) >= NOON - 60 * HOUR]).tolist()


def test_futures_say_that_yahoo_spliced_them_and_have_a_volume():
    (page,) = pages(request("ES=F", "H1", NOON - 60 * HOUR, NOON), {("ES=F", "1h"): random_bars("ES=F", days=4, spread=None)})
    assert "splices the front months" in page.notes[0] and (page.bars["volume"] > 0).all()


@pytest.mark.parametrize(("name", "timeframe", "sentence"), [("XAUUSD", "H1", "no spot prices or CFDs"), ("EURUSD", "H4", "Yahoo has no H4 bars")])
def test_what_yahoo_does_not_have_is_refused_before_anybody_is_requested(name, timeframe, sentence):
    with pytest.raises(BadRequest, match=sentence):
        SOURCE.unavailable(request(name, timeframe, NOON - DAY, NOON))
