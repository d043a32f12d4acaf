"""Yahoo's chart as JSON, as its address ``/v8/finance/chart/…`` answers or within a recording of such an answer.

``chart.result[0]`` has meta (symbol, dataGranularity, exchangeTimezoneName, regularMarketTime), timestamp (seconds since 1970) and
``indicators.quote[0]`` (open, high, low, close, volume: lists as long, null where nothing was traded). Adjusted closes are not read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import BadRequest
from domain.market.bars import PRICES
from domain.market.instrument import Instrument
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.json_bars import bars_of, document_of, moment, number, objects, part, preview_of, within
from domain.market.readers.sample import instrument_in, side_in, step_sentence
from domain.market.readers.stamps import EARLIEST, LATEST
from domain.market.zones import SECOND, instant

HEAD = re.compile(rb'"chart"\s*:\s*\{\s*"(?:result|error)"')
TIMEFRAMES = {"1m": "M1", "5m": "M5", "15m": "M15", "30m": "M30", "60m": "H1", "1h": "H1", "4h": "H4", "1d": "D1"}
NOTE = "adjusted closes, dividends and splits are not read"


class YahooChart(Reader):
    """Daily bars carry the exchange's trade date, read as a day of UTC; intraday times are instants."""

    key = "yahoo_chart"
    title = "Yahoo chart (JSON)"
    family = "Yahoo (yfinance CSV, chart JSON)"
    whole = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        if head.lstrip()[:1] != b"{" or not HEAD.search(head):
            return None
        return Recognised(self.key, self.title, instrument_in(name), None, "UTC", side_in(name), "Yahoo's chart")

    def complete(self, recognised: Recognised, path: Path, max_bytes: int) -> Recognised:
        chart = _chart(path, max_bytes)
        meta, raw = chart["meta"], _bars(chart, path)
        symbol = str(meta.get("symbol", ""))
        evidence = f"{symbol}, {meta.get('instrumentType', 'kind not given')}, bars of {meta['dataGranularity']}; {step_sentence(raw.local_ns.tolist())}"
        instrument = instrument_in(symbol) if symbol else recognised.instrument
        return replace(recognised, instrument=instrument, timeframe=TIMEFRAMES[meta["dataGranularity"]], evidence=evidence, preview=preview_of(raw))

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        raw = _bars(_chart(path, limits.max_bytes), path)
        within(path, len(raw), limits)
        progress(1.0, f"{len(raw):,} rows read")
        return raw


def _chart(path: Path, max_bytes: int) -> Mapping[str, Any]:
    """The one result of the chart, whose parts are there."""
    chart: Mapping[str, Any] = next((part["chart"] for part in objects(document_of(path, max_bytes)) if isinstance(part.get("chart"), dict)), {})
    results = chart.get("result")
    if not isinstance(results, list) or not results or not isinstance(results[0], dict):
        error = chart.get("error")
        why = f": {error.get('description') or error.get('code')}" if isinstance(error, dict) else ""
        raise BadRequest(f"{path.name} is an answer of Yahoo without bars{why}; ask again")
    result = results[0]
    meta = result.get("meta")
    length = part(meta, "dataGranularity")
    if not isinstance(length, str) or length not in TIMEFRAMES:
        raise BadRequest(f"{path.name} holds bars of {str(length)[:20] if length else 'a length that it does not say'}; the timeframes are {', '.join(dict.fromkeys(TIMEFRAMES))}: ask for one of them")
    return result


def _bars(chart: Mapping[str, Any], path: Path) -> RawBars:
    """The closed bars; what has no prices is left out."""
    quotes, stamps = _quotes(chart, path), chart.get("timestamp") or []
    rows, bad, silent = [], [], 0
    for place, seconds in enumerate(stamps, 1):
        values = {name: quotes[name][place - 1] for name in (*PRICES, "volume")}
        if all(values[name] is None for name in PRICES):
            silent += 1
            continue
        try:
            rows.append((place, moment(seconds, SECOND), *(number(values[name]) for name in PRICES), float("nan") if values["volume"] is None else number(values["volume"])))
        except ValueError as error:
            bad.append((place, values, str(error)))
    notes = [NOTE, *([f"{silent:,} of {len(stamps):,} entries have no prices (null) and are left out"] if silent else [])]
    closed = _closed(rows, chart["meta"])
    if len(closed) < len(rows):
        notes.append(f"the last {'entry was' if len(rows) - len(closed) == 1 else 'entries were'} not closed when the file was written and {'is' if len(rows) - len(closed) == 1 else 'are'} left out")
    if not closed:
        raise BadRequest(f"{path.name} holds no bars: Yahoo answered with {len(stamps):,} entries, none of them a closed bar with prices")
    raw = bars_of(closed, bad, (*PRICES, "volume"), notes)
    if raw.volume is not None and not (raw.volume > 0).any():
        raw = replace(raw, volume=None, notes=(*raw.notes, "volume is 0 in every row: taken as not recorded"))
    return _dated(raw, chart["meta"]) if chart["meta"]["dataGranularity"] == "1d" else raw


def _quotes(chart: Mapping[str, Any], path: Path) -> Mapping[str, list[Any]]:
    try:
        quotes = chart["indicators"]["quote"][0]
        if not chart.get("timestamp"):
            return {name: [] for name in (*PRICES, "volume")}
        whole = {name: quotes[name] for name in (*PRICES, "volume")}
        stamps = chart["timestamp"]
    except (KeyError, IndexError, TypeError):
        raise BadRequest(f"{path.name} is a chart of Yahoo without open, high, low, close and volume; ask again") from None
    if not isinstance(stamps, list) or any(not isinstance(values, list) or len(values) != len(stamps) for values in whole.values()):
        raise BadRequest(f"{path.name} is a chart of Yahoo whose columns are not of one length: it is cut off; ask again")
    return whole


def _closed(rows: list[Any], meta: Mapping[str, Any]) -> list[Any]:
    """The rows whose bar was over at the last trade that the answer knows of."""
    last = meta.get("regularMarketTime")
    if isinstance(last, bool) or not isinstance(last, int) or not EARLIEST <= last * SECOND < LATEST:
        return rows
    minutes = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "60m": 60, "1h": 60, "4h": 240}.get(meta["dataGranularity"])
    if minutes:
        return [row for row in rows if row[1] + minutes * 60 * SECOND <= last * SECOND]
    end = part(meta, "currentTradingPeriod", "regular", "end")
    open_day = _day(last * SECOND, meta) if isinstance(end, int) and last < end else None
    return [row for row in rows if open_day is None or _day(row[1], meta) < open_day]


def _dated(raw: RawBars, meta: Mapping[str, Any]) -> RawBars:
    days = [_day(int(at), meta) for at in raw.local_ns]
    ts = raw.local_ns.copy()
    ts[:] = [instant(datetime(day.year, day.month, day.day, tzinfo=UTC)) for day in days]
    return replace(raw, local_ns=ts, notes=(*raw.notes, "dates are the exchange's trade dates, taken as days of UTC"))


def _day(at: int, meta: Mapping[str, Any]) -> Any:
    """The date of an instant at the exchange."""
    try:
        zone: Any = ZoneInfo(str(meta.get("exchangeTimezoneName", "UTC")))
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    return datetime.fromtimestamp(at // SECOND, UTC).astimezone(zone).date()


READERS.add(YahooChart.key, YahooChart())
