"""CSV of yfinance: its three header lines (Price, Ticker, Date), or one with ``Adj Close`` or ``Stock Splits``;
adjusted closes are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from domain.errors import BadRequest, listed
from domain.market.instrument import Instrument
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.files import head_of
from domain.market.readers.layout import Layout
from domain.market.readers.sample import describe, instrument_in, kind_in, lines_of, words_of
from domain.market.readers.text import read_text, split
from domain.market.zones import DAY

SEPARATOR = ","
PRICES = ("open", "high", "low", "close")
OWN_WORDS = {"adj close", "adjclose", "dividends", "stock splits", "capital gains"}  # of no other program
TIMES = ("date", "datetime", "price", "")


class YFinance(Reader):
    """Daily bars carry the exchange's trade date, with or without a zone: that date is read, as a day of UTC. Intraday
    times have a zone, so they are instants.
    """

    key = "yfinance"
    title = "yfinance CSV"
    family = "Yahoo (yfinance CSV, chart JSON)"

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        layout = _layout(lines, name)
        if layout is None:
            return None
        recognised = describe(
            self.key, self.title, name, lines, layout, None, None, header_at=0, description="the header of yfinance"
        )
        daily = recognised.timeframe == "D1"
        return replace(
            recognised, instrument=_instrument(lines, layout) or recognised.instrument, clock="UTC" if daily else recognised.clock
        )

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        layout = _layout(lines_of(head_of(path, limits.max_bytes)), path.name)
        if layout is None:
            raise BadRequest(
                f"{path.name} has no header of yfinance (Price, Ticker, Date; or Date … Adj Close); "
                "choose another format"
            )
        raw = _dated(read_text(path, layout, limits, progress))
        return replace(raw, notes=(*raw.notes, "adjusted closes, dividends and splits are not read"))


def _layout(lines: Sequence[str], name: str) -> Layout | None:
    words = words_of(lines[0], SEPARATOR) if lines else []
    stacked = len(lines) > 1 and words_of(lines[1], SEPARATOR)[0] == "ticker" and words[0] == "price"
    if not words or words[0] not in TIMES or not set(PRICES) <= set(words) or not (stacked or OWN_WORDS & set(words)):
        return None
    if (
        stacked
        and len(tickers := dict.fromkeys(cell.strip() for cell in split(lines[1], SEPARATOR)[1:] if cell.strip())) > 1
    ):
        raise BadRequest(f"{name} holds the bars of {listed(tickers)}; save one ticker a file")
    columns = ("ts", *(word if word in (*PRICES, "volume") else "" for word in words[1:]))
    if any(columns.count(price) != 1 for price in PRICES):
        return None
    skip = 1 if not stacked else 3 if len(lines) > 2 and words_of(lines[2], SEPARATOR)[0] in ("date", "datetime") else 2
    kind = kind_in([split(line, SEPARATOR)[0].strip() for line in lines[skip : skip + 200]])
    if kind is None and len(lines) > skip:
        raise BadRequest(
            f"{name} writes times as {split(lines[skip], SEPARATOR)[0][:40]!r}; "
            "save it with yfinance's own index of dates"
        )
    return Layout(SEPARATOR, columns, kind or "ISO 8601", skip=skip)


def _instrument(lines: Sequence[str], layout: Layout) -> str | None:
    """The instrument of the line of tickers: EURUSD=X is EURUSD."""
    ticker = split(lines[1], SEPARATOR)[1].strip() if layout.skip > 1 else ""
    return instrument_in(ticker) if ticker else None


def _dated(raw: RawBars) -> RawBars:
    """Daily bars on their date at 00:00 UTC: with a zone they stand at the exchange's midnight."""
    steps = np.abs(np.diff(raw.local_ns))
    if not len(steps) or float(np.median(steps)) < 0.9 * DAY:
        return raw
    dated = (raw.local_ns + DAY // 2) // DAY * DAY if raw.clock == "UTC" else raw.local_ns
    return replace(
        raw,
        local_ns=dated,
        clock="UTC",
        notes=(*raw.notes, "dates are the exchange's trade dates, taken as days of UTC"),
    )


READERS.add(YFinance.key, YFinance())
