"""MetaTrader 4's history centre, and HistData's files in its form:
``2024.01.08,01:00,1.10000,1.10020,1.09980,1.10010,120``, no header, bid prices.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.files import head_of
from domain.market.readers.layout import Layout
from domain.market.readers.sample import describe, lines_of
from domain.market.readers.text import read_text

COLUMNS = ("date", "time", "open", "high", "low", "close")
LINE = re.compile(r"\d{4}\.\d{2}\.\d{2}([,;\t])\d{1,2}:\d{2}\1[\d.]+\1[\d.]+\1[\d.]+\1[\d.]+\1(\d+)\1*\s*")
HISTDATA_NAME = re.compile(r"DAT_MT_|HISTDATA", re.IGNORECASE)


class MetaTrader4Csv(Reader):
    """Times are the broker's server's: the file does not say which clock that is. Volumes are numbers of ticks, at
    least 1 a bar.
    """

    key = "mt4"
    title = "MetaTrader 4 history centre CSV"
    family = "MetaTrader 4 and 5 (CSV, .hst)"
    server_clock = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        separator = separator_of(lines)
        return (
            describe(self.key, self.title, name, lines, _layout(separator, True), None, "bid")
            if separator and not of_histdata(lines, name)
            else None
        )

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        separator = separator_of(lines_of(head_of(path, limits.max_bytes))) or ","
        return read_text(path, _layout(separator, True), limits, progress)


class HistDataMetaTrader(Reader):
    """The same form with HistData's clock, and with a volume that is always 0 and not read: no terminal writes that."""

    key = "histdata_mt"
    title = "HistData M1 for MetaTrader"
    family = "HistData"

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        separator = separator_of(lines)
        return (
            describe(self.key, self.title, name, lines, _layout(separator, False), "histdata", "bid")
            if separator and of_histdata(lines, name)
            else None
        )

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        separator = separator_of(lines_of(head_of(path, limits.max_bytes))) or ","
        raw = read_text(path, _layout(separator, False), limits, progress)
        return replace(raw, clock="histdata", notes=("volume is not read: HistData writes 0 in every row",))


def separator_of(lines: Sequence[str]) -> str | None:
    """What separates the columns of such a file; None if it is none."""
    return next((match[1] for line in lines[:3] if (match := LINE.fullmatch(line))), None)


def of_histdata(lines: Sequence[str], name: str) -> bool:
    """Whether its name or a column of zeros says that HistData wrote it."""
    volumes = [match[2] for line in lines if (match := LINE.fullmatch(line))]
    return bool(HISTDATA_NAME.search(name)) or not any(volume.strip("0") for volume in volumes)


def _layout(separator: str, volume: bool) -> Layout:
    return Layout(separator, (*COLUMNS, "volume" if volume else ""), stamps.ISO)


READERS.add(MetaTrader4Csv.key, MetaTrader4Csv())
READERS.add(HistDataMetaTrader.key, HistDataMetaTrader())
