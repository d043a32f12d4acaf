"""Bars with both sides in one file: ``DateTime,BidOpen,BidHigh,BidLow,BidClose,AskOpen,…``, as FXCM and OANDA's
libraries write them.
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
from domain.market.readers.layout import ASKS, Layout, Parts
from domain.market.readers.quotes import bid_with_spread
from domain.market.readers.sample import describe, kind_in, lines_of, words_of
from domain.market.readers.text import read_parts, split

SEPARATORS = (",", ";", "\t")
TIMES = ("ts", "timestamp", "datetime", "time", "date", "gmt time", "")
VOLUMES = ("volume", "tickqty", "tick_qty", "ticks", "tickvolume", "tick_volume")
SIDE_FIRST = re.compile(r"(bid|ask)[ _.]?(open|high|low|close|o|h|l|c)")
PRICE_FIRST = re.compile(r"(open|high|low|close|o|h|l|c)[ _.]?(bid|ask)")
LETTERS = {"o": "open", "h": "high", "l": "low", "c": "close"}


class BidAsk(Reader):
    """The bid's prices are the bars; the spread is the mean of ask minus bid over open, high, low and close."""

    key = "bid_ask"
    title = "CSV with bid and ask bars (BidOpen … AskClose)"
    family = "bid and ask bars in one CSV (FXCM)"

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        layout = _layout(lines, name)
        if layout is None:
            return None
        return replace(describe(self.key, self.title, name, lines, layout, None, None), side="bid")

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        layout = _layout(lines_of(head_of(path, limits.max_bytes)), path.name)
        if layout is None:
            raise BadRequest(
                f"{path.name} has no header with bid and ask prices (BidOpen … AskClose); choose another format"
            )
        layout, notes = with_day_order(path, layout, limits.max_bytes)
        raw = bid_with_spread(read_parts(path, layout, limits, progress, Parts()), layout.numbers)
        return replace(raw, notes=(*notes, *raw.notes))


def _layout(lines: Sequence[str], name: str) -> Layout | None:
    for separator in SEPARATORS:
        columns = _columns(words_of(lines[0], separator)) if lines else ()
        if {"open", "high", "low", "close", *ASKS} <= set(columns) and {"ts", "date"} & set(columns):
            places = [at for at, column in enumerate(columns) if column in ("ts", "date", "time")]
            rows = [split(line, separator) for line in lines[1:]]
            texts = [" ".join(row[at].strip() for at in places) for row in rows if len(row) > max(places)]
            kind = kind_in(texts)
            if kind is None and texts:
                raise BadRequest(f"{name} writes times as {texts[0][:40]!r}; write YYYY-MM-DD HH:MM:SS")
            return Layout(separator, columns, kind or "ISO 8601", skip=1)
    return None


def _columns(words: Sequence[str]) -> tuple[str, ...]:
    """What each word of the header is to us; () if it is no such header."""
    columns = [_price(word) or ("volume" if word in VOLUMES else "") for word in words]
    both = "date" in words and "time" in words
    times = [word for word in TIMES if word in words]
    if not times:
        return ()
    for word in ("date", "time") if both else times[:1]:
        columns[words.index(word)] = word if both else "ts"
    return tuple(columns) if all(columns.count(column) == 1 for column in columns if column) else ()


def _price(word: str) -> str:
    """
    >>> _price("bidopen"), _price("ask_close"), _price("o.ask"), _price("bid")
    ('open', 'ask_close', 'ask_open', '')
    """
    first, last = SIDE_FIRST.fullmatch(word), PRICE_FIRST.fullmatch(word)
    if not first and not last:
        return ""
    side, price = (first[1], first[2]) if first else (last[2], last[1]) if last else ("", "")
    return ("ask_" if side == "ask" else "") + LETTERS.get(price, price)


READERS.add(BidAsk.key, BidAsk())
