"""LEAN's data: minute files with milliseconds since midnight and the date in their name, hour and daily files with
``20070102 00:00``; quotes or trades.

Format: https://github.com/QuantConnect/Lean/tree/master/Data (readme of each security type). Quotes are bid open, high,
low, close, size, then the ask's; prices of shares are written in ten-thousandths, all others as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain.errors import BadRequest
from domain.market.bars import PRICES
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.files import full_name, head_of
from domain.market.readers.layout import ASKS, Layout, Parts
from domain.market.readers.quotes import bid_with_spread
from domain.market.readers.sample import describe, lines_of
from domain.market.readers.text import NUMBER, read_parts, read_text

QUOTES = ("ts", *PRICES, "", *ASKS, "")
TRADES = ("ts", *PRICES, "volume")
DATED = re.compile(r"(?:^|/)(\d{8})_[^/]*?(minute|second|tick)?_?(quote|trade)[^/]*$", re.IGNORECASE)
LONG = re.compile(r"\d{8} \d{2}:\d{2}")
SHARES = ("equity", "stock", "share", "etf")
SCALE = 10_000


class Lean(Reader):
    """Times of currencies and CFDs are UTC, of exchanges the exchange's; the file does not say which, its weeks do."""

    key = "lean"
    title = "LEAN quote or trade bars"
    family = "LEAN"

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        layout = _layout(lines, name)
        if layout is None:
            return None
        match = describe(self.key, self.title, name, lines, layout, None, None)
        return replace(match, side="bid") if layout.columns == QUOTES else match

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        layout = _layout(lines_of(head_of(path, limits.max_bytes)), full_name(path))
        if layout is None:
            raise BadRequest(
                f"{path.name} is not one of LEAN's files of bars (20140508_eurusd_minute_quote.csv, "
                "or an hour or daily file); choose another format"
            )
        quotes = layout.columns == QUOTES
        raw = (
            bid_with_spread(read_parts(path, layout, limits, progress, Parts()), layout.numbers)
            if quotes
            else read_text(path, layout, limits, progress)
        )
        return _unscaled(raw) if instrument.kind in SHARES else raw


def _layout(lines: Sequence[str], name: str) -> Layout | None:
    cells = [line.rstrip(",").split(",") for line in lines[:3]]
    rows = [
        row
        for row in cells
        if len(row) in (len(QUOTES), len(TRADES))
        and all(NUMBER.fullmatch(cell) or not cell.strip() for cell in row[1:])
    ]
    dated = DATED.search(name)
    if (
        dated
        and lines
        and all(NUMBER.fullmatch(cell) for cell in cells[0][:1])
        and (dated[2] in ("tick", "second") or (not rows and len(cells[0]) in (3, 4)))
    ):
        raise BadRequest(
            f"{name} holds LEAN's {dated[2] or 'tick'} data; the finest bars here are M1: "
            "take the file of the folder minute"
        )
    if not rows:
        return None
    columns = QUOTES if len(rows[0]) == len(QUOTES) else TRADES
    if dated and stamps.FIELDS[stamps.MIDNIGHT].fullmatch(rows[0][0]):
        return Layout(",", columns, stamps.MIDNIGHT, origin=stamps.parse_one(dated[1], stamps.COMPACT).ns)
    return Layout(",", columns, stamps.COMPACT) if LONG.fullmatch(rows[0][0]) else None


def _unscaled(raw: RawBars) -> RawBars:
    prices: dict[str, Any] = {name: getattr(raw, name) / SCALE for name in PRICES}
    spread = None if raw.spread is None else raw.spread / SCALE
    return replace(
        raw, spread=spread, notes=(*raw.notes, "prices of shares are in ten-thousandths, and were divided"), **prices
    )


READERS.add(Lean.key, Lean())
