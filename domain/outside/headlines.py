"""Dated headlines, as they stand in files; ``domain.features.sentiment`` scores them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from domain.errors import BadRequest
from domain.market.readers.base import MAX_BYTES, MAX_ROWS
from domain.outside.rows import ReadTable, counted, in_order, instants, rows_of, times

TIMES = ("ts", "time", "datetime", "published")
TEXTS = ("headline", "title", "text")


def headlines_of(path: Path, utc: bool = False, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> ReadTable:
    """``ts, headline`` of a file, in the order in which they appeared. A time without a zone is refused unless ``utc`` is set; so is a
    day without a time of day: it would be known before it was out. What has no text is left out."""
    rows = rows_of(path, max_bytes, max_rows)
    column, text = rows.needed(TIMES, "the time at which each appeared"), rows.needed(TEXTS, "what it says")
    at = instants(rows, column, utc)
    if None in at:
        k = at.index(None)
        raise BadRequest(f"row {rows.lines[k]} of {rows.file} has the {column} {rows.cells[column][k]!r}, a day without a time of day, and a headline is known from the minute at which it appeared; give its time")
    frame = pd.DataFrame(dict(ts=times([moment for moment in at if moment is not None]), headline=rows.cells[text]))
    texts = frame[frame["headline"] != ""].reset_index(drop=True)
    if texts.empty:
        raise BadRequest(f"no row of {rows.file} has a {text}; choose a file that holds headlines")
    ordered = in_order(texts, "headlines")
    empty = len(frame) - len(texts)
    return ReadTable(ordered.frame, (*([counted(empty, "row has", "rows have", "no text and was left out." if empty == 1 else "no text and were left out.")] if empty else []), *ordered.notes))
