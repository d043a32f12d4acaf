"""What the first lines of a text tell: its bars' step, instrument and side, and the sentence that says so."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.market.instrument import instruments
from domain.market.readers import stamps
from domain.market.readers.base import Found
from domain.market.readers.files import HEAD
from domain.market.readers.layout import Layout
from domain.market.readers.text import split
from domain.market.timeframe import MINUTES

PREVIEW = 5
DECIMAL_COMMA = re.compile(r"\d+,\d+")
TIMEFRAME_WORD = re.compile(r"(?<![A-Z0-9])(M1|M5|M15|M30|H1|H4|D1)(?![0-9])")


def lines_of(head: bytes) -> list[str]:
    """The whole lines of a head; blank ones left out, and the last one too if the head was cut there."""
    lines = head.decode("utf-8", "replace").split("\n")
    return [line.rstrip("\r") for line in (lines[:-1] if len(head) >= HEAD - 4 else lines) if line.strip()]


def describe(format: str, title: str, name: str, lines: Sequence[str], layout: Layout, clock: str | None, side: str | None) -> Found:
    """The Found of a text whose layout is known; a text that is only a header, or writes decimal commas, is refused."""
    rows = [split(line, layout.separator) for line in lines[layout.skip :]]
    if not rows:
        raise BadRequest(f"{name} has a header and no rows under it")
    refuse_commas(name, rows, layout)
    ns, aware = _times(rows, layout)
    timeframe = timeframe_of(ns) or timeframe_word(name)
    header = [cell.strip() for cell in split(lines[layout.skip - 1], layout.separator)] if layout.skip else list(layout.columns)
    unread = [name for name, column in zip(header, layout.columns, strict=True) if name and not column]
    evidence = f"columns {', '.join(column for column in layout.columns if column)}{f' (not read: {listed(unread)})' if unread else ''}; "
    evidence += f"{_span(rows, layout)}; {step_sentence(ns)}"
    preview = pd.DataFrame([(row + [""] * len(header))[: len(header)] for row in rows[:PREVIEW]], columns=header, dtype=str)
    return Found(format, title, instrument_in(name), timeframe, clock or ("UTC" if aware else None), side or side_in(name), evidence, preview)


def refuse_commas(name: str, rows: list[list[str]], layout: Layout) -> None:
    """Prices such as 1,0403 are refused: what is a decimal here may be a thousand there."""
    places = [at for at, column in enumerate(layout.columns) if column in layout.numbers]
    for row in rows[:20]:
        commas = [row[at] for at in places if at < len(row) and DECIMAL_COMMA.fullmatch(row[at].strip())]
        if commas:
            raise BadRequest(f"{name} writes decimals with a comma ({commas[0].strip()}); export it again with decimal points")
    if rows and all(len(row) == 2 * len(layout.columns) - 1 for row in rows[:20]) and layout.separator == ",":
        raise BadRequest(f"{name} separates both columns and decimals with commas; export it again with decimal points")


def instrument_in(name: str) -> str | None:
    """The instrument whose name stands in a file's name.

    >>> instrument_in("DAT_ASCII_EURUSD_M1_202503.csv"), instrument_in("GBP-JPY h4.csv"), instrument_in("prices.csv")
    ('EURUSD', 'GBPJPY', None)
    """
    plain = re.sub(r"[^A-Z0-9=]", "", name.upper())
    found = [known for known in instruments() if known.upper() in (plain if len(known) > 4 else name.upper())]
    return max(found, key=len, default=None)


def side_in(name: str) -> str | None:
    """
    >>> side_in("gbpusd-m1-bid-2012.csv"), side_in("forbidden.csv")
    ('bid', None)
    """
    words = re.split(r"[^a-z]+", name.lower())
    return next((side for side in ("bid", "ask", "mid") if side in words), None)


def _times(rows: list[list[str]], layout: Layout) -> tuple[list[int], bool]:
    places = [at for at, column in enumerate(layout.columns) if column in layout.times]
    read = []
    for row in rows:
        try:
            read.append(stamps.one(" ".join(row[at].strip() for at in places), layout.kind))
        except (ValueError, IndexError):
            continue
    return [stamp.ns for stamp in read], bool(read) and read[0].aware


def timeframe_of(ns: Sequence[int]) -> str | None:
    minutes = float(np.median(np.diff(ns))) / 60e9 if len(ns) > 1 else 0
    return next((name for name, long in MINUTES.items() if long == minutes), None)


def timeframe_word(name: str) -> str | None:
    found = TIMEFRAME_WORD.search(name.upper().replace("_", " "))
    return found[1] if found else None


def _span(rows: list[list[str]], layout: Layout) -> str:
    places = [at for at, column in enumerate(layout.columns) if column in layout.times]
    return f"first row {' '.join(rows[0][at] for at in places if at < len(rows[0]))}"


def step_sentence(ns: Sequence[int]) -> str:
    if len(ns) < 2:
        return "one row, so no step to tell"
    minutes = float(np.median(np.diff(ns))) / 60e9
    return f"rows {minutes:g} minute{'' if minutes == 1 else 's'} apart (median of the first {len(ns)})"
