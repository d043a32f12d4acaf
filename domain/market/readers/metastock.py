"""MetaStock's text, as HistData, Stooq and Finam write it: ``EURUSD,20250302,1700,1.04032,1.04042,1.04029,1.04031``,
with a header or without.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from domain.errors import BadRequest, listed
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.files import full_name, head_of
from domain.market.readers.layout import Layout
from domain.market.readers.sample import describe, instrument_in, lines_of, numeric, words_of
from domain.market.readers.text import read_text, split

WORDS = {
    "date": "date", "dtyyyymmdd": "date", "time": "time",
    "open": "open", "high": "high", "low": "low", "close": "close", "vol": "volume", "volume": "volume",
}  # fmt: skip
NO_HEADER = ("", "date", "time", "open", "high", "low", "close", "volume")
DATE, CLOCK, TICKER = (
    re.compile(r"(19|20)\d{6}"),
    re.compile(r"\d{4}|\d{6}|\d{1,2}:\d{2}(:\d{2})?"),
    re.compile(r"[A-Za-z][\w./=^-]*"),
)


class MetaStock(Reader):
    """Dates are YYYYMMDD and times HHMM or HHMMSS. Without a header, and called DAT_MS_ or without volume, it is
    HistData's and on its clock.
    """

    key = "metastock"
    title = "MetaStock text (HistData, Stooq, Finam)"
    family = "MetaStock text"

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        layout = _layout(lines)
        if layout is None:
            return None
        tickers = _tickers(lines, layout)
        if len(tickers) > 1:
            raise BadRequest(
                f"{name} holds bars of {listed(sorted(tickers))}; save the bars of one instrument as a file of "
                "their own"
            )
        histdata = _of_histdata(layout, name)
        recognised = describe(
            self.key, self.title, name, lines, layout, "histdata" if histdata else None, "bid" if histdata else None
        )
        return replace(recognised, instrument=instrument_in(next(iter(tickers), "")) or recognised.instrument)

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        layout = _layout(lines_of(head_of(path, limits.max_bytes)))
        if layout is None:
            raise BadRequest(
                f"{path.name} is not MetaStock text (TICKER, YYYYMMDD, HHMM, open, high, low, close); "
                "choose another format"
            )
        raw = read_text(path, layout, limits, progress)
        return replace(raw, clock="histdata") if _of_histdata(layout, full_name(path)) else raw


def _layout(lines: Sequence[str]) -> Layout | None:
    for separator in (",", ";", "\t"):
        layout = (_headed(lines, separator) or _plain(lines, separator)) if lines else None
        if layout:
            return layout
    return None


def _headed(lines: Sequence[str], separator: str) -> Layout | None:
    """With its own header, ``<TICKER>,<PER>,<DATE>…``: dates are compact digits, which tells it from MetaTrader's."""
    words = words_of(lines[0], separator)
    columns = tuple(WORDS.get(word, "") for word in words)
    if not {"date", "open", "high", "low", "close"} <= set(columns) or not (
        {"ticker", "dtyyyymmdd"} & set(words) or lines[0].lstrip().startswith("<")
    ):
        return None
    cells = split(lines[1], separator) if len(lines) > 1 else []
    dated = len(cells) >= len(columns) and DATE.fullmatch(cells[columns.index("date")].strip())
    return Layout(separator, columns, stamps.COMPACT, skip=1) if dated else None


def _plain(lines: Sequence[str], separator: str) -> Layout | None:
    for line in lines[:3]:
        cells = [cell.strip() for cell in line.split(separator)]
        while cells and not cells[-1]:
            cells.pop()
        if (
            len(cells) in (7, 8)
            and TICKER.fullmatch(cells[0])
            and DATE.fullmatch(cells[1])
            and CLOCK.fullmatch(cells[2])
            and numeric(cells[3:])
        ):
            return Layout(separator, NO_HEADER[: len(cells)], stamps.COMPACT)
    return None


def _tickers(lines: Sequence[str], layout: Layout) -> set[str]:
    """The tickers of the first rows."""
    at = (
        0
        if not layout.skip
        else next((at for at, word in enumerate(words_of(lines[0], layout.separator)) if word == "ticker"), None)
    )
    if at is None:
        return set()
    rows = [split(line, layout.separator) for line in lines[layout.skip :]]
    return {
        row[at].strip().upper() for row in rows if len(row) >= len(layout.columns) and TICKER.fullmatch(row[at].strip())
    }


def _of_histdata(layout: Layout, name: str) -> bool:
    return not layout.skip and ("volume" not in layout.columns or "DAT_MS_" in name.upper())


READERS.add(MetaStock.key, MetaStock())
