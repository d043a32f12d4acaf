"""Ticks with bid and ask, made into bars: HistData's ``20250302 170000123,1.04032,1.04042,0``, Dukascopy's, TrueFX's
and MetaTrader 5's.

A bar's open, high, low and close are those of the bid, its volume is the number of ticks, its spread the mean of ask
minus bid over them. Bars are of M1 where no timeframe is requested.
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
from domain.market.readers.day_order import with_day_order
from domain.market.readers.dukascopy import clock_named
from domain.market.readers.files import head_of
from domain.market.readers.layout import Layout
from domain.market.readers.points import in_points
from domain.market.readers.sample import describe, kind_in, lines_of, words_of
from domain.market.readers.text import read_parts, split
from domain.market.readers.tick_bars import TickBars

SEPARATORS = (",", ";", "\t")
HISTDATA = re.compile(r"\d{8} \d{9},[\d.]+,[\d.]+,\d+,*\s*")
LIBRARYS_TIME = "epoch time (utc)"  # of LimeMojito's trading-data-stream, which writes prices in points
TIMES = ("ts", "timestamp", "datetime", "time", "date", LIBRARYS_TIME)
BAR_WORDS = {"open", "high", "low", "close"}


class Ticks(Reader):
    """What its rows say is the quote from then on: a row with only one side leaves the other as it was."""

    key = "ticks"
    title = "ticks (bid, ask), made into bars"
    family = "ticks (bid, ask)"
    ticks = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        layout = _layout(lines, name)
        if layout is None:
            return None
        recognised = describe(self.key, self.title, name, lines, layout, _clock(lines, layout), None)
        evidence = (
            f"columns {', '.join(column for column in layout.columns if column)}; a row is a tick: "
            "made into M1 bars of the bid, with the mean spread"
        )
        return replace(recognised, timeframe="M1", side="bid", evidence=evidence)

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        lines = lines_of(head_of(path, limits.max_bytes))
        layout = _layout(lines, path.name)
        if layout is None:
            raise BadRequest(f"{path.name} has no columns bid and ask; choose another format")
        clock = _clock(lines, layout)
        layout, notes = with_day_order(path, layout, limits.max_bytes)
        ticks = TickBars()
        read_parts(path, layout, limits, progress, ticks)
        clock = "UTC" if ticks.aware else clock
        raw = ticks.bars(limits.timeframe, instrument.calendar, clock == "UTC")
        raw = replace(raw, clock=clock, notes=(*notes, ticks.sentence(len(raw), limits.timeframe)))
        return in_points(raw, instrument) if LIBRARYS_TIME in words_of(lines[0], layout.separator) else raw


def _layout(lines: Sequence[str], name: str) -> Layout | None:
    if any(HISTDATA.fullmatch(line) for line in lines[:3]):
        return Layout(",", ("ts", "bid", "ask", ""), stamps.COMPACT)
    for separator in SEPARATORS:
        words = words_of(lines[0], separator) if lines else []
        if {"bid", "ask"} <= set(words) and not BAR_WORDS & set(words) and (time := _time(words)):
            both = {"date", "time"} <= set(words)
            named = {"bid": "bid", "ask": "ask"} | ({"date": "date", "time": "time"} if both else {time: "ts"})
            columns = tuple(named.get(word, "") for word in words)
            places = [at for at, column in enumerate(columns) if column in ("ts", "date", "time")]
            rows = [split(line, separator) for line in lines[1:]]
            texts = [" ".join(row[at].strip() for at in places) for row in rows if len(row) > max(places)]
            kind = kind_in(texts)
            if kind is None and texts:
                raise BadRequest(f"{name} writes times as {texts[0][:40]!r}; write YYYY-MM-DD HH:MM:SS.mmm")
            return Layout(separator, columns, kind or stamps.ISO, skip=1)
    return None


def _time(words: Sequence[str]) -> str | None:
    """The column of times: one of the usual words, or one of Dukascopy's."""
    return next((word for word in TIMES if word in words), None) or next(
        (word for word in words if clock_named(word) is not None), None
    )


def _clock(lines: Sequence[str], layout: Layout) -> str | None:
    """HistData's own clock, or the one that the header names."""
    if not layout.skip:
        return "histdata"
    words = words_of(lines[0], layout.separator)
    return (
        "UTC" if LIBRARYS_TIME in words else next((clock for word in words if (clock := clock_named(word))), None)
    )


READERS.add(Ticks.key, Ticks())
