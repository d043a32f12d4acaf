"""Dated headlines, as they stand in files; ``domain.features.sentiment`` scores them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from domain.errors import BadRequest
from domain.market.readers.base import MAX_BYTES, MAX_ROWS
from domain.market.readers.files import content, head_of
from domain.outside.feed import headlines_in
from domain.outside.rows import ReadTable, counted, in_order, instants, rows_of, times

TIMES = ("ts", "time", "datetime", "published")
TEXTS = ("headline", "title", "text")


def headlines_of(path: Path, utc: bool = False, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> ReadTable:
    """``ts, headline`` of a file, in the order in which they appeared. A time without a zone is refused unless ``utc`` is set; so is a
    day without a time of day: it would be known before it was out. What has no text is left out. A feed (RSS, Atom) is read too."""
    if head_of(path, max_bytes).lstrip().startswith(b"<"):
        return _of_feed(path, utc, max_bytes, max_rows)
    rows = rows_of(path, max_bytes, max_rows)
    column, text = rows.needed(TIMES, "the time at which each appeared"), rows.needed(TEXTS, "what it says")
    at = instants(rows, column, utc)
    if None in at:
        k = at.index(None)
        raise BadRequest(f"row {rows.lines[k]} of {rows.file} has the {column} {rows.cells[column][k]!r}, a day without a time of day, and a headline is known from the minute at which it appeared; give its time")
    return _table([moment for moment in at if moment is not None], rows.cells[text], rows.file, text, "row")


def _of_feed(path: Path, utc: bool, max_bytes: int, max_rows: int) -> ReadTable:
    items, timeless = headlines_in(path.name, content(path, max_bytes), utc, max_rows)
    if not items:
        raise BadRequest(f"{path.name} is XML without an item that has a time; a feed of headlines (RSS, Atom) has items with title and pubDate, or published")
    read = _table([at for at, _ in items], [text for _, text in items], path.name, "title", "item")
    return ReadTable(read.frame, (*([counted(timeless, "item has", "items have", f"no time and {'was' if timeless == 1 else 'were'} left out.")] if timeless else []), *read.notes))


def _table(at: Sequence[int], texts: Sequence[str], file: str, column: str, noun: str) -> ReadTable:
    frame = pd.DataFrame(dict(ts=times(at), headline=list(texts)))
    worded = frame[frame["headline"] != ""].reset_index(drop=True)
    if worded.empty:
        raise BadRequest(f"no {noun} of {file} has a {column}; choose a file that holds headlines")
    ordered = in_order(worded, "headlines")
    empty = len(frame) - len(worded)
    return ReadTable(ordered.frame, (*([counted(empty, f"{noun} has", f"{noun}s have", f"no text and {'was' if empty == 1 else 'were'} left out.")] if empty else []), *ordered.notes))
