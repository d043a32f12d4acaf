"""MetaTrader 5's exports: the terminal's own (``<DATE> <TIME> <OPEN> …``, with its header or without) and what its
Python library writes (``time, open, …``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.files import head_of
from domain.market.readers.layout import Layout
from domain.market.readers.points import digits_of, spread_in_prices
from domain.market.readers.sample import describe, kind_in, lines_of, numeric, prices_of, rows_of, words_of
from domain.market.readers.text import read_text, split

SEPARATORS = ("\t", ",", ";")
COLUMNS = {
    "date": "date",
    "time": "time",
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "tickvol": "volume",
    "tick_volume": "volume",
    "spread": "spread",
}
OWN_WORDS = {"tickvol", "tick_volume", "real_volume"}  # of no other program
DATE = re.compile(r"\d{4}\.\d{2}\.\d{2}")
CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
NO_HEADER = ("open", "high", "low", "close", "volume", "", "spread")


class MetaTrader(Reader):
    """Times are the broker's server's: the file does not say which clock that is. Spreads are in points of the file's
    own prices, and become price units.
    """

    key = "mt5"
    title = "MetaTrader 5 export"
    family = "MetaTrader 4 and 5 (CSV, .hst)"
    server_clock = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        layout = _layout(lines)
        return replace(describe(self.key, self.title, name, lines, layout, None, "bid"), clock=None) if layout else None

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        lines = lines_of(head_of(path, limits.max_bytes))
        layout = _layout(lines)
        if layout is None:
            raise BadRequest(
                f"{path.name} has no MetaTrader header (DATE, OPEN, HIGH, LOW, CLOSE, TICKVOL); choose another format"
            )
        raw = replace(read_text(path, layout, limits, progress), clock=None)
        return spread_in_prices(raw, digits_of(prices_of(rows_of(lines, layout), layout)), instrument.digits)


def _layout(lines: Sequence[str]) -> Layout | None:
    """The layout that its header spells or its rows show, or None if it is not MetaTrader's."""
    for separator in SEPARATORS:
        layout = (_headed(lines, separator) or _plain(lines, separator)) if lines else None
        if layout:
            return layout
    return None


def _headed(lines: Sequence[str], separator: str) -> Layout | None:
    words = words_of(lines[0], separator)
    columns = tuple(COLUMNS.get(word, "") for word in words)
    if not {"open", "high", "low", "close"} <= set(columns) or not {"date", "time"} & set(columns):
        return None
    if not OWN_WORDS & set(words) and not _dated_by_the_terminal(lines, separator, columns, words):
        return None
    if "date" not in columns:
        columns = tuple("ts" if name == "time" else name for name in columns)
    return Layout(separator, columns, _kind(lines, separator, columns), skip=1)


def _dated_by_the_terminal(
    lines: Sequence[str], separator: str, columns: tuple[str, ...], words: Sequence[str]
) -> bool:
    """Without a column of its own words: a date YYYY.MM.DD under ``<DATE>``, or beside a volume or spread."""
    if "date" not in columns or not (lines[0].lstrip(' "').startswith("<") or {"vol", "spread"} & set(words)):
        return False
    cells = split(lines[1], separator) if len(lines) > 1 else []
    return len(lines) == 1 or (
        len(cells) >= len(columns) and DATE.fullmatch(cells[columns.index("date")].strip()) is not None
    )


def _plain(lines: Sequence[str], separator: str) -> Layout | None:
    """Without a header: date, time (not in daily bars), four prices, ticks, volume and spread, the last three whole
    numbers.
    """
    for line in lines[:3]:
        cells = [cell.strip() for cell in split(line, separator)]
        while cells and not cells[-1]:
            cells.pop()
        timed = len(cells) == 9 and CLOCK.fullmatch(cells[1]) is not None
        if (
            (timed or len(cells) == 8)
            and DATE.fullmatch(cells[0])
            and numeric(cells[2 if timed else 1 :])
            and all(cell.isdigit() for cell in cells[-3:])
        ):
            return Layout(separator, ("date", *(["time"] if timed else []), *NO_HEADER), stamps.ISO)
    return None


def _kind(lines: Sequence[str], separator: str, columns: tuple[str, ...]) -> str:
    if "ts" not in columns:
        return stamps.ISO
    at = columns.index("ts")
    rows = [split(line, separator) for line in lines[1:200]]
    return kind_in([row[at].strip() for row in rows if len(row) > at]) or stamps.ISO


READERS.add(MetaTrader.key, MetaTrader())
