"""Bars in JSON: Yahoo's chart and OANDA's candles, alone and recorded, clean and dirty; and what is no bars, said in words."""

from __future__ import annotations

import gzip
import json
import os
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from domain.errors import BadRequest
from domain.market import instrument, readers
from domain.market.readers.files import head_of
from tests.domain.market.formats import put
from tests.domain.market.makers import texts

EURUSD = instrument("EURUSD")
MONDAY = 1_704_672_000          # 8 January 2024, 00:00 UTC
LATER = 1_710_000_000


def chart(symbol: str = "EURUSD=X", granularity: str = "1h", stamps: Any = None, zone: str = "Europe/London", last: int = LATER, **columns: Any) -> dict[str, Any]:
    stamps = [MONDAY, MONDAY + 3600, MONDAY + 7200] if stamps is None else stamps
    quote = {name: [value] * len(stamps) for name, value in dict(open=1.1, high=1.1002, low=1.0998, close=1.1001, volume=0).items()} | columns
    meta = dict(currency="USD", symbol=symbol, instrumentType="CURRENCY", regularMarketTime=last, exchangeTimezoneName=zone, dataGranularity=granularity, currentTradingPeriod=dict(regular=dict(start=last - 60, end=last + 60)))
    return dict(chart=dict(result=[dict(meta=meta, timestamp=stamps, indicators=dict(quote=[quote], adjclose=[dict(adjclose=quote["close"])]))], error=None))


def candle(hour: int, complete: bool = True, sides: tuple[str, ...] = ("bid", "ask"), **more: Any) -> dict[str, Any]:
    prices = dict(bid=dict(o="1.10000", h="1.10020", l="1.09980", c="1.10010"), ask=dict(o="1.10010", h="1.10030", l="1.09990", c="1.10024"), mid=dict(o="1.10005", h="1.10025", l="1.09985", c="1.10017"))
    return {side: prices[side] for side in sides} | dict(complete=complete, volume=40 + hour, time=f"2024-01-08T{hour:02d}:00:00.000000000Z") | more


def candles(*rows: Any, granularity: str = "H1", symbol: str = "EUR_USD") -> dict[str, Any]:
    return dict(instrument=symbol, granularity=granularity, candles=list(rows))


def spoilt(value: Any, random: Random) -> Any:
    """The document with parts of it taken out, or put in place of by what does not belong there."""
    if random.random() < 0.06:
        return random.choice([None, True, -1, 1e400, "x", [], {}, "2024-01-08", 10**30, float("nan"), "\0", -(10**20), 9e15])
    if isinstance(value, dict):
        return {key: spoilt(part, random) for key, part in value.items() if random.random() > 0.03}
    return [spoilt(part, random) for part in value if random.random() > 0.02] if isinstance(value, list) else value


def read(path: Path) -> readers.RawBars:
    return readers.read(path, readers.recognise(path).format, EURUSD)


FILES = {
    "chart.json": (chart(), "yahoo_chart", "H1", None),
    "recorded.json": (dict(request=dict(url="https://query2.finance.yahoo.com/v8/finance/chart/EURUSD=X"), response=dict(status=200, bodyJson=chart())), "yahoo_chart", "H1", None),
    "candles.json": (candles(*map(candle, range(3))), "oanda", "H1", "bid"),
    "mid.json": (candles(*(candle(hour, sides=("mid",)) for hour in range(3))), "oanda", "H1", "mid"),
    "responses.json": (dict(responses=dict(_v3_instruments_instrument_orderbook=dict(response=dict(orderBook=dict(buckets=[]))), _v3_instruments_instrument_candles=dict(response=candles(*map(candle, range(3)))))), "oanda", "H1", "bid"),
    "EURUSD_M5.json": ([dict(startMillisecondsUtc=(MONDAY + 300 * k) * 1000, streamId="0", period="M5", symbol="EURUSD", open=110000, high=110020, low=109980, close=110010, source="Historical") for k in range(3)], "trading_data_stream", "M5", "bid"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_each_is_known_to_one_reader_whatever_its_dress_and_read_to_its_values(tmp_path, name):
    document, format, timeframe, side = FILES[name]
    dresses = {"plain": json.dumps(document), "spread out": "\r\n" + json.dumps(document, indent=2).replace("\n", "\r\n"), "marked": "\ufeff" + json.dumps(document)}
    for text in dresses.values():
        path = put(tmp_path, name, text)
        head, claims = head_of(path, 10**6), []
        for reader in readers.READERS.values():
            try:
                claims += [reader.key] if reader.recognise(head, name) else []
            except BadRequest:
                continue
        seen = readers.recognise(path)
        assert claims == [format] and (seen.format, seen.instrument, seen.timeframe, seen.clock, seen.side) == (format, "EURUSD", timeframe, "UTC", side)
        raw = read(path)
        assert texts(raw.local_ns)[0] == "2024-01-08T00:00" and len(raw) == 3 and raw.malformed_count == 0 and raw.clock == "UTC" and len(seen.preview) == 3
        assert [raw.open[0], raw.high[0], raw.low[0], raw.close[0]] == ([1.10005, 1.10025, 1.09985, 1.10017] if side == "mid" else [1.1, 1.1002, 1.0998, 1.1001])
    packed = put(tmp_path, f"{name}.gz", gzip.compress(json.dumps(document).encode()))
    assert len(read(packed)) == 3


def test_the_spread_of_candles_is_the_mean_of_ask_minus_bid(tmp_path):
    raw = read(put(tmp_path, "c.json", json.dumps(candles(candle(0), candle(1)))))
    assert raw.spread == pytest.approx([(10 + 10 + 10 + 14) / 4 * 1e-5] * 2, abs=1e-12) and raw.volume.tolist() == [40.0, 41.0]
    middle = read(put(tmp_path, "m.json", json.dumps(candles(candle(0, sides=("mid",))))))
    assert middle.spread is None


def test_candles_that_are_not_complete_are_left_out_and_broken_ones_counted(tmp_path):
    broken = [candle(1, bid=dict(o="x", h="1", l="1", c="1")), candle(2, time="2024-01-08"), "nonsense"]
    path = put(tmp_path, "c.json", json.dumps(candles(candle(0), *broken[:2], candle(4, time=f"{MONDAY + 4 * 3600}.000000000"), candle(5, complete=False))))
    raw = read(path)
    assert texts(raw.local_ns) == ["2024-01-08T00:00", "2024-01-08T04:00"] and raw.line.tolist() == [1, 4]
    assert [(bad.line, bad.reason) for bad in raw.malformed] == [(2, "'x' is not a number"), (3, "its time '2024-01-08' has no zone")]
    assert "1 candle was not complete and is left out" in raw.notes


def test_daily_charts_carry_the_date_of_the_exchange(tmp_path):
    evening = [1_720_652_400, 1_720_738_800]        # 10 and 11 July 2024, 23:00 UTC: midnight in London in summer
    raw = read(put(tmp_path, "c.json", json.dumps(chart("EURUSD=X", "1d", evening, last=LATER + 10**8))))
    assert texts(raw.local_ns) == ["2024-07-11T00:00", "2024-07-12T00:00"]
    assert raw.volume is None and "volume is 0 in every row: taken as not recorded" in raw.notes
    opens = [MONDAY + 52_200, MONDAY + 52_200 + 86_400]        # 14:30 UTC, the open of New York
    raw = read(put(tmp_path, "n.json", json.dumps(chart("ES=F", "1d", opens, "America/New_York", volume=[5, 6]))))
    assert texts(raw.local_ns) == ["2024-01-08T00:00", "2024-01-09T00:00"] and raw.volume.tolist() == [5.0, 6.0]


def test_entries_without_prices_and_the_bar_that_is_still_open_are_left_out(tmp_path):
    hole = read(put(tmp_path, "h.json", json.dumps(chart(**{name: [1.1, None, 1.1] for name in ("open", "high", "low", "close", "volume")}))))
    assert texts(hole.local_ns) == ["2024-01-08T00:00", "2024-01-08T02:00"] and "1 of 3 entries have no prices (null) and are left out" in hole.notes
    running = read(put(tmp_path, "r.json", json.dumps(chart(last=MONDAY + 7200 + 1800))))
    assert texts(running.local_ns) == ["2024-01-08T00:00", "2024-01-08T01:00"]
    today = read(put(tmp_path, "d.json", json.dumps(chart(granularity="1d", stamps=[MONDAY - 86_400, MONDAY], zone="UTC", last=MONDAY + 3600))))
    assert texts(today.local_ns) == ["2024-01-07T00:00"]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (dict(chart=dict(result=None, error=dict(code="Not Found", description="No data found, symbol may be delisted"))), "an answer of Yahoo without bars: No data found, symbol may be delisted"),
        (chart(granularity="1wk"), "holds bars of 1wk; the timeframes are 1m, 5m, 15m, 30m, 60m, 1h, 4h, 1d"),
        (chart(stamps=[]), "holds no bars"),
        (chart(open=[1.1]), "whose columns are not of one length: it is cut off"),
        (candles(candle(0), granularity="S5"), "holds candles of S5"),
        (candles(candle(0, complete=False)), "holds no complete candle, only unfinished ones"),
        ([candles(candle(0)), candles(candle(0), symbol="GBP_USD")], "holds candles of EUR_USD H1, GBP_USD H1"),
        (dict(accounts=[dict(id="101", tags=[])], lastTransactionID="7"), "OANDA's answer about accounts, no bars"),
        (dict(responses=dict(_v3_accounts_accountID_trades=dict(url="/v3/accounts/{accountID}/trades", response=dict(trades=[], lastTransactionID="1")))), "OANDA's answer about trades, no bars"),
        ([dict(title="CPI", country="USD", date="2024-01-11T08:30:00-05:00", impact="High", forecast="", previous="")], "a calendar of releases, ForexFactory's week; it goes in with: tidemark data outside import"),
    ],
)  # fmt: skip
def test_what_holds_no_bars_is_refused_with_what_it_is(tmp_path, document, sentence):
    with pytest.raises(BadRequest, match=sentence):
        read(put(tmp_path, "x.json", json.dumps(document)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<?xml version='1.0'?><weeklyevents><event/></weeklyevents>", "ForexFactory's week; it goes in with: tidemark data outside import"),
        ("<?xml version='1.0'?><rss version='2.0'><channel/></rss>", "a feed of headlines"),
        ("date,value\n2024-01-08,4.01\n", "a series by date, one value a day"),
        ("observation_date,VIXCLS\r\n2024-01-08,13.1\r\n", "a series by date, one value a day"),
        ("datetime_utc,event,country,impact\n2024-01-08 13:30,CPI,US,high\n", "a calendar of releases; it goes in"),
        ("time,headline\n2024-01-08T13:30:00Z,Dollar slides\n", "headlines; it goes in"),
        ('{"chart": {"result": [', "is not JSON: it cannot be read from line 1"),
        ('{"candles": [' + "[" * 5_000 + '{"mid": {"o": 1}}', "not JSON|nested too deeply"),
    ],
)
def test_other_texts_are_refused_with_what_they_are(tmp_path, text, sentence):
    with pytest.raises(BadRequest, match=sentence):
        read(put(tmp_path, "x.txt", text))


@pytest.mark.parametrize("name", FILES)
def test_a_spoilt_document_is_read_or_refused_with_a_sentence(tmp_path, name):
    random = Random(name)
    for _ in range(int(os.environ.get("TIDEMARK_CASES", "40"))):
        path = put(tmp_path, name, json.dumps(spoilt(FILES[name][0], random)))
        with suppress(BadRequest):
            read(path)
