"""Bars of LimeMojito's library trading-data-stream, made of Dukascopy's ticks: CSV or JSON, prices in points.

``Epoch Time (UTC),Symbol,Period,Open,High,Low,Close``, or a list of objects with startMillisecondsUtc, symbol, period and the four prices.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain.errors import BadRequest, listed
from domain.market.bars import PRICES
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.files import content
from domain.market.readers.json_bars import bars_of, document_of, moment, number, preview_of, within
from domain.market.readers.points import in_points
from domain.market.readers.sample import instrument_in, lines_of, side_in, step_sentence, words_of
from domain.market.timeframe import MINUTES

MILLISECOND = 1_000_000
WORDS = ["epoch time (utc)", "symbol", "period", *PRICES]
JSON = re.compile(rb'\s*\[\s*\{[^}]*"startMillisecondsUtc"')


class TradingDataStream(Reader):
    """Times are UTC. Lines are rows or objects, from 1."""

    key = "trading_data_stream"
    title = "trading-data-stream bars (CSV, JSON)"
    family = "trading-data-stream"
    whole = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head) if head[:1] not in b"[{" else []
        if not JSON.match(head) and not (lines and words_of(lines[0], ",") == WORDS):
            return None
        return Recognised(self.key, self.title, instrument_in(name), None, "UTC", side_in(name) or "bid", "bars of trading-data-stream")

    def complete(self, recognised: Recognised, path: Path, max_bytes: int) -> Recognised:
        symbol, period, raw = _bars(path, max_bytes)
        evidence = f"{symbol}, {period}, prices in points; {step_sentence(raw.local_ns.tolist())}"
        return replace(recognised, instrument=instrument_in(symbol), timeframe=period, evidence=evidence, preview=preview_of(raw))

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        raw = _bars(path, limits.max_bytes)[2]
        within(path, len(raw), limits)
        progress(1.0, f"{len(raw):,} rows read")
        return in_points(raw, instrument)


def _bars(path: Path, max_bytes: int) -> tuple[str, str, RawBars]:
    """Symbol, period and bars, prices in points."""
    data = content(path, max_bytes)
    table = _of_json(path, max_bytes) if data.lstrip()[:1] == b"[" else _of_csv(data.decode("utf-8", "replace"))
    rows, bad, kinds = [], [], dict[tuple[str, str], None]()
    for place, values in enumerate(table, 1):
        try:
            rows.append((place, *_row(values)))
            kinds[str(values[1]), str(values[2])] = None
        except ValueError as error:
            bad.append((place, ",".join(map(str, values)), str(error)))
    if len(kinds) != 1:
        raise BadRequest(f"{path.name} holds bars of {listed(' '.join(kind) for kind in kinds) or 'nothing'}; it must be one symbol and period a file")
    symbol, period = next(iter(kinds))
    if period not in MINUTES:
        raise BadRequest(f"{path.name} holds bars of {period[:20]}; the timeframes are {', '.join(MINUTES)}: make one of them from the ticks")
    return symbol, period, bars_of(rows, bad, PRICES)


def _of_csv(text: str) -> list[Sequence[Any]]:
    rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)][1:]
    return [row[: len(WORDS)] if not any(cell.strip() for cell in row[len(WORDS) :]) else row for row in rows]


def _of_json(path: Path, max_bytes: int) -> list[Sequence[Any]]:
    objects = document_of(path, max_bytes)
    return [[row.get(key) for key in ("startMillisecondsUtc", "symbol", "period", *PRICES)] if isinstance(row, dict) else [row] for row in objects]


def _row(values: Sequence[Any]) -> tuple[Any, ...]:
    if len(values) != len(WORDS):
        raise ValueError(f"{len(values)} values where {len(WORDS)} are expected")
    return (_time(values[0]), *(number(price) for price in values[3:]))


def _time(value: Any) -> int:
    if isinstance(value, int):
        return moment(value, MILLISECOND)
    return stamps.parse_one(str(value).strip(), stamps.ISO).ns


READERS.add(TradingDataStream.key, TradingDataStream())
