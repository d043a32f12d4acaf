"""The reader of files with a column mapping, and what a table of text seems to be before it has one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import PRICES
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.day_order import with_day_order
from domain.market.readers.files import full_name, head_of
from domain.market.readers.layout import Layout, Parts
from domain.market.readers.mapping import SEPARATORS, ColumnMapping, names_of
from domain.market.readers.points import digits_of, spread_in_prices
from domain.market.readers.quotes import bid_with_spread
from domain.market.readers.sample import describe, lines_of, prices_of, rows_of
from domain.market.readers.sampling import by_most_rows
from domain.market.readers.text import NUMBER, read_parts, read_text, split
from domain.market.readers.tick_bars import TickBars
from domain.market.readers.unreadable import what_it_is
from domain.market.side import resolve_side

MAPPED, UNMAPPED = "mapped", "unmapped"
TITLE = "a table with a column mapping"
LEAST = 3           # columns: a time, a bid and an ask
TABLE = "text of an unknown layout"
ROWS = 8            # of a preview
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
WORDS = {
    "time": ("time", "ts", "timestamp", "datetime", "date", "date time", "date/time", "zeit", "datum", "fecha", "data"), "time_of_day": ("time of day", "hour", "uhrzeit", "hora"),
    "open": ("open", "o", "first", "eröffnung", "eroeffnung", "apertura", "ouverture"), "high": ("high", "h", "max", "hoch", "alto", "haut"),
    "low": ("low", "l", "min", "tief", "bajo", "bas"), "close": ("close", "c", "last", "price", "schluss", "cierre", "clôture"),
    "volume": ("volume", "vol", "v", "tickvol", "volumen", "umsatz"), "spread": ("spread", "spanne"), "bid": ("bid",), "ask": ("ask", "offer"),
}  # fmt: skip


class Mapped(Reader):
    """Reads by a mapping; everything that follows, checks included, is as for any other file."""

    key, title, family = MAPPED, TITLE, TITLE

    def __init__(self, mapping: ColumnMapping) -> None:
        self.mapping = mapping
        self.ticks = mapping.ticks

    def recognise(self, head: bytes, name: str) -> Recognised:
        lines = lines_of(head)
        layout = self.mapping.layout(lines, name)
        side = "bid" if self.mapping.ticks or "ask_open" in layout.columns else self.mapping.side or None
        _refuse_texts(rows_of(lines, layout), layout, name)
        recognised = self._agreed(describe(self.key, self.title, name, lines, layout, None, side), name)
        return replace(recognised, timeframe="M1") if self.ticks else recognised

    def _agreed(self, recognised: Recognised, name: str) -> Recognised:
        """With the mapping's clock; what the file says of clock or side in another way is refused."""
        if self.mapping.clock and recognised.clock not in (None, self.mapping.clock):
            raise BadRequest(f"{name} writes its times with a zone, or counts them since 1970, and the mapping says {self.mapping.clock}; leave the time zone of the mapping out")
        if self.mapping.side:
            resolve_side(self.mapping.side, recognised.side, name)
        return replace(recognised, clock=recognised.clock or self.mapping.clock or None)

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        lines = lines_of(head_of(path, limits.max_bytes))
        layout, notes = with_day_order(path, self.mapping.layout(lines, path.name), limits.max_bytes)
        if self.ticks:
            return self._of_ticks(path, layout, instrument, limits, progress, notes)
        if "ask_open" in layout.columns:
            raw = bid_with_spread(read_parts(path, layout, limits, progress, Parts()), layout.numbers)
        else:
            raw = self._spread(read_text(path, layout, limits, progress), instrument, lines, layout)
        return replace(raw, clock=raw.clock or self.mapping.clock or None, notes=(*notes, *raw.notes))

    def _spread(self, raw: RawBars, instrument: Instrument, lines: Sequence[str], layout: Layout) -> RawBars:
        """The bars with their spread in price units."""
        if raw.spread is None or self.mapping.spread_unit == "price":
            return raw
        if self.mapping.spread_unit == "points":
            return spread_in_prices(raw, digits_of(text.replace(",", ".") for text in prices_of(rows_of(lines, layout), layout)), instrument.digits, mapped=True)
        return replace(raw, spread=np.round(raw.spread * instrument.pip, 10), notes=(*raw.notes, f"spread is in pips of {instrument.pip:g}, converted to price units"))

    def _of_ticks(self, path: Path, layout: Layout, instrument: Instrument, limits: ReadLimits, progress: Progress, notes: tuple[str, ...]) -> RawBars:
        ticks = TickBars()
        read_parts(path, layout, limits, progress, ticks)
        clock = "UTC" if ticks.aware else self.mapping.clock or None
        raw = ticks.bars(limits.timeframe, instrument.calendar, clock == "UTC")
        return replace(raw, clock=clock, notes=(*notes, ticks.sentence(len(raw), limits.timeframe)))


def recognise_mapped(path: Path, mapping: ColumnMapping, max_bytes: int) -> Recognised:
    """What a file is by a mapping; refused, in a sentence, where the mapping does not fit it."""
    reader, head, name = Mapped(mapping), head_of(path, max_bytes), full_name(path)
    return by_most_rows(reader, reader.recognise(head, name), path, head, name, max_bytes)


def as_table(path: Path, why: str, max_bytes: int) -> Recognised | None:
    """A file that no reader recognises, as a table whose columns can be mapped; None where it is no table of text. ``why``: what the readers say."""
    head, name = head_of(path, max_bytes), full_name(path)
    if not what_it_is(head, name).startswith(TABLE) or (mapping := guess(lines_of(head))) is None:
        return None
    preview = preview_of(lines_of(head), mapping.separator, mapping.header_lines)
    return Recognised(UNMAPPED, "a table of text in no known format", None, None, None, None, why, preview)


def guess(lines: Sequence[str]) -> ColumnMapping | None:
    """Separator, decimal sign, header lines and columns as they seem, None where the lines are no table. Columns without a usual name stay open."""
    separator = separator_in(lines)
    if separator is None:
        return None
    rows = [split(line, separator) for line in lines[:200]]
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    header = next((number for number, row in enumerate(rows) if len(row) == width and _values(row)), 0)
    cells = [cell.strip() for row in rows[header : header + 50] for cell in row]
    decimal = "," if separator != "," and any(DECIMAL_COMMA.fullmatch(cell) for cell in cells) else "."
    return _Guess(separator, decimal, header, _named(names_of(lines, separator, header)))


class _Guess(ColumnMapping):
    """A mapping that need not be complete yet."""

    def __post_init__(self) -> None:
        pass


def separator_in(lines: Sequence[str]) -> str | None:
    """What separates the columns: that which most lines hold equally often.

    >>> separator_in(["a;b;c", "1,5;2,5;3,5"]), separator_in(["no table"])
    (';', None)
    """
    best: tuple[float, str] = (0.0, "")
    for separator in SEPARATORS:
        widths = Counter(len(split(line, separator)) for line in lines[:200])
        width, count = widths.most_common(1)[0] if widths else (0, 0)
        share = count / max(1, len(lines[:200]))
        if width >= LEAST and share > 0.8 and share * (0.5 if separator == " " else 1.0) > best[0] + 1e-9:
            best = (share * (0.5 if separator == " " else 1.0), separator)
    return best[1] or None


def preview_of(lines: Sequence[str], separator: str, header_lines: int) -> pd.DataFrame:
    """The first rows, each column under its number and, where the header has one, its name."""
    rows = [split(line, separator) for line in lines[header_lines : header_lines + ROWS]]
    names = names_of(lines, separator, header_lines)
    width = max([len(names), *(len(row) for row in rows)], default=0)
    heads = [f"{number}  {names[number - 1]}" if number <= len(names) and names[number - 1] else str(number) for number in range(1, width + 1)]
    return pd.DataFrame([(row + [""] * width)[:width] for row in rows], columns=heads, dtype=str)


def _values(row: Sequence[str]) -> bool:
    """Whether a row looks like values: at least two numbers, or a time and a number."""
    numbers = sum(NUMBER.fullmatch(cell.strip().replace(",", ".")) is not None for cell in row)
    return numbers >= 2 or (numbers >= 1 and any(stamps.kind_of(cell.strip()) for cell in row))


def _named(names: Sequence[str]) -> dict[str, str | int]:
    """The columns whose names say what they are."""
    words = [name.lower() for name in names]
    columns: dict[str, str | int] = {}
    for role, meanings in WORDS.items():
        word = next((word for word in meanings if words.count(word) == 1), None)
        if word is not None and names[words.index(word)] not in columns.values():
            columns[role] = names[words.index(word)]
    if {"date", "time"} <= set(words):
        columns |= {"time": names[words.index("date")], "time_of_day": names[words.index("time")]}
    if set(PRICES) <= set(columns):
        columns.pop("bid", None), columns.pop("ask", None)
    return columns


def _refuse_texts(rows: Sequence[Sequence[str]], layout: Layout, name: str) -> None:
    """Refuses a mapping whose prices are no numbers in any of the first rows: a wrong column, or a wrong decimal sign."""
    for role in layout.numbers:
        cells = [row[layout.columns.index(role)].strip() for row in rows[:50] if layout.columns.index(role) < len(row)]
        cells = [cell for cell in cells if cell]
        if cells and not any(_readable(cell, layout.decimal) for cell in cells):
            sign = "comma" if layout.decimal == "," else "point"
            raise BadRequest(f"{name}: {cells[0][:40]!r} in the column of the {role.replace('_', ' ')} is no number with a decimal {sign}; choose another column or another decimal sign")


def _readable(cell: str, decimal: str) -> bool:
    return NUMBER.fullmatch(cell.replace(",", ".") if decimal == "," and "." not in cell else cell) is not None and (decimal == "." or "." not in cell)
