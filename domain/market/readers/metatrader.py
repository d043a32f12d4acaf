"""MetaTrader 5's exports: the terminal's own (``<DATE> <TIME> <OPEN> …``, tabs or commas) and what its Python library writes (``time, open, …``)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Found, Limits, Progress, RawBars, Reader
from domain.market.readers.files import head_of
from domain.market.readers.layout import Layout
from domain.market.readers.sample import describe, lines_of
from domain.market.readers.text import read_text, split

SEPARATORS = ("\t", ",", ";")
COLUMNS = {"date": "date", "time": "time", "open": "open", "high": "high", "low": "low", "close": "close", "tickvol": "volume", "tick_volume": "volume", "spread": "spread"}


class MetaTrader(Reader):
    """Times are the broker's server's: the file does not say which clock that is. Spreads are in points, and become price units."""

    key = "mt5"
    title = "MetaTrader 5 export"

    def recognise(self, head: bytes, name: str) -> Found | None:
        lines = lines_of(head)
        layout = _layout(lines)
        return replace(describe(self.key, self.title, name, lines, layout, None, "bid"), clock=None) if layout else None

    def read(self, path: Path, instrument: Instrument, limits: Limits, progress: Progress) -> RawBars:
        layout = _layout(lines_of(head_of(path, limits.max_bytes)))
        if layout is None:
            raise BadRequest(f"{path.name} has no MetaTrader header (DATE, OPEN, HIGH, LOW, CLOSE, TICKVOL); choose another format")
        raw = replace(read_text(path, layout, limits, progress), clock=None)
        return _priced(raw, instrument)


def _layout(lines: list[str]) -> Layout | None:
    """The layout its header spells, or None if it is no MetaTrader header."""
    for separator in SEPARATORS:
        words = [word.strip().strip('<>"').lower() for word in split(lines[0], separator)] if lines else []
        columns = tuple(COLUMNS.get(word, "") for word in words)
        if "volume" in columns and {"open", "high", "low", "close"} <= set(columns) and {"date", "time"} & set(columns):
            if "date" not in columns:
                columns = tuple("ts" if name == "time" else name for name in columns)
            return Layout(separator, columns, _kind(lines, separator, columns), skip=1)
    return None


def _kind(lines: list[str], separator: str, columns: tuple[str, ...]) -> str:
    first = split(lines[1], separator) if len(lines) > 1 else []
    return stamps.kind_of(first[columns.index("ts")]) or stamps.ISO if "ts" in columns and len(first) == len(columns) else stamps.ISO


def _priced(raw: RawBars, instrument: Instrument) -> RawBars:
    """Points become price units; a column of zeros means that the terminal did not record spreads."""
    if raw.spread is None:
        return raw
    if not np.any(raw.spread):
        return replace(raw, spread=None, notes=(*raw.notes, "spread is 0 in every row: taken as not recorded"))
    note = f"spread is in points of {instrument.tick:g}, converted to price units"
    return replace(raw, spread=raw.spread * instrument.tick, notes=(*raw.notes, note))


READERS.add(MetaTrader.key, MetaTrader())
