"""Dukascopy's CSV, of its web page and of JForex: ``Gmt time,Open,High,Low,Close,Volume`` over ``02.03.2025
17:00:00.000,1.04032,…``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.day_order import with_day_order
from domain.market.readers.files import head_of
from domain.market.readers.layout import Layout
from domain.market.readers.sample import describe, kind_in, lines_of, words_of
from domain.market.readers.text import read_text, split

SEPARATORS = (",", ";", "\t")
PRICES = ("open", "high", "low", "close")
TIME = re.compile(r"(gmt|local|utc|eet|est) time|time \((\w+)\)")
CLOCKS = {"gmt": "UTC", "utc": "UTC", "eet": "Europe/Athens", "est": "UTC-5"}


class Dukascopy(Reader):
    """``Gmt time`` is UTC, ``Time (EET)`` is Eastern Europe's; a ``Local time`` says its offset in every row. The
    file's name has the side, _BID or _ASK.
    """

    key = "dukascopy"
    title = "Dukascopy CSV"
    family = "Dukascopy (CSV, .bi5)"

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        layout = _layout(lines)
        return describe(self.key, self.title, name, lines, layout, _clock(lines, layout), None) if layout else None

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        lines = lines_of(head_of(path, limits.max_bytes))
        layout = _layout(lines)
        if layout is None:
            raise BadRequest(
                f"{path.name} has no Dukascopy header (Gmt time, Open, High, Low, Close, Volume); choose another format"
            )
        clock = _clock(lines, layout)
        layout, notes = with_day_order(path, layout, limits.max_bytes)
        raw = read_text(path, layout, limits, progress)
        return replace(raw, clock=raw.clock or clock, notes=(*raw.notes, *notes))


def _layout(lines: Sequence[str]) -> Layout | None:
    for separator in SEPARATORS:
        words = words_of(lines[0], separator) if lines else []
        if words and TIME.fullmatch(words[0]) and set(PRICES) <= set(words):
            columns = ("ts", *(word if word in (*PRICES, "volume") else "" for word in words[1:]))
            rows = [split(line, separator) for line in lines[1:]]
            kind = kind_in([row[0].strip() for row in rows])
            if kind is None and rows:
                raise BadRequest(
                    f"a Dukascopy file with times like {rows[0][0][:40]!r} cannot be read; "
                    "export it again with times as DD.MM.YYYY HH:MM:SS"
                )
            return Layout(separator, columns, kind or "", skip=1) if kind else None
    return None


def _clock(lines: Sequence[str], layout: Layout) -> str | None:
    return clock_named(words_of(lines[0], layout.separator)[0]) or None


def clock_named(word: str) -> str | None:
    """The clock that Dukascopy's word for its times names, "" where that is in every row, None where it is no such
    word.

    >>> clock_named("gmt time"), clock_named("time (eet)"), clock_named("local time"), clock_named("open")
    ('UTC', 'Europe/Athens', '', None)
    """
    match = TIME.fullmatch(word)
    return CLOCKS.get(match[1] or match[2], "") if match else None


READERS.add(Dukascopy.key, Dukascopy())
