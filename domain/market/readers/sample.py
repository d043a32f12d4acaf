"""What the first lines of a text tell: its bars' step, instrument and side, and the sentence that says so."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.market.instrument import instruments
from domain.market.readers import stamps
from domain.market.readers.base import Recognised
from domain.market.readers.files import HEAD, is_separator_line
from domain.market.readers.layout import Layout
from domain.market.readers.text import NUMBER, split
from domain.market.step import usual_timeframe

PREVIEW = 5
VENDORS_NAMES = {"USATECHIDXUSD": "NAS100", "USA500IDXUSD": "US500"}  # Dukascopy's
DECIMAL_COMMA = re.compile(r"\d+,\d+")
TIMEFRAME_WORD = re.compile(r"(?<![A-Z0-9])(M1|M5|M15|M30|H1|H4|D1)(?![0-9])")


def lines_of(head: bytes) -> list[str]:
    """The whole lines of a head; blank ones and Excel's ``sep=`` left out, and the last one too if the head was cut
    there.
    """
    lines = head.decode("utf-8", "replace").split("\n")
    complete = [line.rstrip("\r") for line in (lines[:-1] if len(head) >= HEAD - 4 else lines) if line.strip()]
    return complete[1:] if complete and is_separator_line(complete[0].encode()) else complete


def describe(
    format: str, title: str, name: str, lines: Sequence[str], layout: Layout, clock: str | None, side: str | None,
    header_at: int | None = None, description: str = "a header"
) -> Recognised:  # fmt: skip
    """The Found of a text whose layout is known; a text that is only a header, or writes decimal commas, is refused.

    ``side`` is what the format quotes where the file's name does not say another; ``header_at`` the line with the columns' names, the last of the header's lines if not given.
    """
    rows = rows_of(lines, layout)
    if not rows:
        raise BadRequest(f"{name} has {description} and no rows under it")
    refuse_commas(name, rows, layout)
    ns, aware = times_of(rows, layout)
    timeframe = timeframe_of(ns) or timeframe_word(name)
    header = (
        [cell.strip() for cell in split(lines[layout.skip - 1 if header_at is None else header_at], layout.separator)]
        if layout.skip
        else list(layout.columns)
    )
    header = (header + [""] * len(layout.columns))[: len(layout.columns)]
    unread = [name for name, column in zip(header, layout.columns, strict=True) if name and not column]
    evidence = f"columns {', '.join(filter(None, layout.columns))}"
    evidence += f" (not read: {listed(unread)}); " if unread else "; "
    evidence += f"{_span(rows, layout)}{_order(layout)}; {step_sentence(ns)}"
    preview = pd.DataFrame(
        [(row + [""] * len(header))[: len(header)] for row in rows[:PREVIEW]], columns=header, dtype=str
    )
    return Recognised(
        format,
        title,
        instrument_in(name),
        timeframe,
        clock or ("UTC" if aware else None),
        side_in(name) or side,
        evidence,
        preview,
    )


def rows_of(lines: Sequence[str], layout: Layout) -> list[list[str]]:
    """The cells of every line under the header."""
    return [split(line, layout.separator) for line in lines[layout.skip :]]


def prices_of(rows: Sequence[Sequence[str]], layout: Layout) -> list[str]:
    """The prices of some rows as they are written."""
    places = [at for at, column in enumerate(layout.columns) if column in layout.required]
    return [row[at].strip() for row in rows for at in places if at < len(row)]


def kind_in(texts: Sequence[str]) -> str | None:
    """How a column of times is written: as the first that is one, or, where its year comes last, as most of those that
    tell day and month apart.
    """
    kinds = [kind for text in texts if (kind := stamps.kind_of(text))]
    if kinds and kinds[0] in (stamps.DAY_FIRST, stamps.MONTH_FIRST, stamps.EITHER):
        days, months = kinds.count(stamps.DAY_FIRST), kinds.count(stamps.MONTH_FIRST)
        if (
            stamps.EITHER not in kinds and months
        ):  # dots: 08.01.2024 counts as a day first, unless 01.13.2024 shows that it is not
            return stamps.DAY_FIRST if any(stamps.day_only(text) for text in texts) else stamps.MONTH_FIRST
        return stamps.EITHER if not days + months else stamps.DAY_FIRST if days >= months else stamps.MONTH_FIRST
    return kinds[0] if kinds else None


def numeric(cells: Sequence[str]) -> bool:
    """Whether every cell is a number.

    >>> numeric(["1.1", " 1e-5"]), numeric(["1.1", ""])
    (True, False)
    """
    return bool(cells) and all(NUMBER.fullmatch(cell) for cell in cells)


def words_of(line: str, separator: str) -> list[str]:
    """The words of a header in lower case, without the brackets that MetaTrader puts around them."""
    return [word.strip().strip('<>"').strip().lower() for word in split(line, separator)]


def refuse_commas(name: str, rows: list[list[str]], layout: Layout) -> None:
    """Prices such as 1,0403 are refused: what is a decimal here may be a thousand there."""
    if layout.decimal == ",":
        return
    places = [at for at, column in enumerate(layout.columns) if column in layout.numbers]
    for row in rows[:20]:
        commas = [row[at] for at in places if at < len(row) and DECIMAL_COMMA.fullmatch(row[at].strip())]
        if commas:
            raise BadRequest(
                f"{name} writes decimals with a comma ({commas[0].strip()}); export it again with decimal points"
            )
    if rows and all(len(row) == 2 * len(layout.columns) - 1 for row in rows[:20]) and layout.separator == ",":
        raise BadRequest(f"{name} separates both columns and decimals with commas; export it again with decimal points")


def instrument_in(name: str) -> str | None:
    """The instrument whose name, or a vendor's name for it, stands in a file's name.

    >>> instrument_in("DAT_ASCII_EURUSD_M1_202503.csv"), instrument_in("GBP-JPY h4.csv"), instrument_in("prices.csv")
    ('EURUSD', 'GBPJPY', None)
    >>> instrument_in("USATECH.IDXUSD_M1_BID.csv")
    'NAS100'
    """
    plain = re.sub(r"[^A-Z0-9=]", "", name.upper())
    names = {instrument: instrument for instrument in instruments()} | {
        other: vendors_name for other, vendors_name in VENDORS_NAMES.items() if vendors_name in instruments()
    }
    matches = [spelt for spelt in names if spelt.upper() in (plain if len(spelt) > 4 else name.upper())]
    return names[max(matches, key=len)] if matches else None


def side_in(name: str) -> str | None:
    """The side that a file's name says it quotes; None where it says none, or more than one.

    >>> side_in("gbpusd-m1-bid-2012.csv"), side_in("forbidden.csv"), side_in("EURUSD_bid_ask.csv")
    ('bid', None, None)
    """
    words = set(re.split(r"[^a-z]+", name.lower()))
    sides = [side for side in ("bid", "ask", "mid") if side in words]
    return sides[0] if len(sides) == 1 else None


def times_of(rows: list[list[str]], layout: Layout) -> tuple[list[int], bool]:
    places = [layout.columns.index(name) for name in layout.times]
    read = []
    for row in rows:
        try:
            read.append(stamps.parse_one(" ".join(row[at].strip() for at in places), layout.kind))
        except (ValueError, IndexError):
            continue
    return [stamp.ns + layout.origin for stamp in read], bool(read) and read[0].aware


def timeframe_of(ns: Sequence[int]) -> str | None:
    """The timeframe that most rows keep."""
    return usual_timeframe(np.array(ns, np.int64))


def timeframe_word(name: str) -> str | None:
    match = TIMEFRAME_WORD.search(name.upper().replace("_", " "))
    return match[1] if match else None


def _span(rows: list[list[str]], layout: Layout) -> str:
    places = [layout.columns.index(name) for name in layout.times]
    return f"first row {' '.join(rows[0][at] for at in places if at < len(rows[0]))}"


def _order(layout: Layout) -> str:
    """How the day and the month of its dates are read, where years come last."""
    if layout.kind == stamps.EITHER:
        return ", whose order of day and month the whole file decides"
    return f", read as {layout.kind}" if layout.kind in (stamps.DAY_FIRST, stamps.MONTH_FIRST) else ""


def step_sentence(ns: Sequence[int]) -> str:
    if len(ns) < 2:
        return "one row, so no step to tell"
    minutes = abs(float(np.median(np.diff(ns)))) / 60e9
    return f"rows {minutes:g} minute{'' if minutes == 1 else 's'} apart (median of the first {len(ns):,})"
