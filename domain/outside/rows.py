"""Text tables of external data whose rows each have a time; errors name the line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.market.readers.base import MAX_BYTES, MAX_ROWS
from domain.market.readers.files import content

SEPARATORS = ",;\t"
STAMP = re.compile(r"(?P<day>\d{4}[-/.]\d{2}[-/.]\d{2})(?:[T ]\s*(?P<clock>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?", re.IGNORECASE)
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
YEARS = range(1900, 2200)
WANTED = "; it must be like 2024-07-11T12:30:00Z"


@dataclass(frozen=True)
class ReadTable:
    """What a file held, in order; ``notes``: what was left out or corrected, a sentence each."""

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextRows:
    """``cells``: column, its name in small letters, -> text of each row. ``lines``: where each row ends in the file."""

    file: str
    cells: Mapping[str, Sequence[str]]
    lines: Sequence[int]

    def first_of(self, names: Sequence[str]) -> str | None:
        """The first of these columns that there is."""
        return next((name for name in names if name in self.cells), None)

    def needed(self, names: Sequence[str], purpose: str) -> str:
        """The same, or a sentence that there is none."""
        column = self.first_of(names)
        if column is None:
            raise BadRequest(f"{self.file} has the columns {listed(self.cells, 12)}; it needs {purpose}, in a column called {' or '.join(names)}")
        return column


def text_of(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """The text of a file, unpacked; as UTF-8, or as Windows-1252 where it is none."""
    data = content(path, max_bytes)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def rows_of(path: Path, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> TextRows:
    """The rows of a table of text with a head; blank lines are passed over."""
    lines = io.StringIO(text_of(path, max_bytes), newline="")
    head = lines.readline()
    separator = max(SEPARATORS, key=head.count)
    try:
        names = [name.strip().lower() for name in next(csv.reader([head], delimiter=separator), [])]
    except csv.Error:
        raise BadRequest(f"the first line of {path.name} names no columns: it is longer than a line of a table, or holds a byte that is not text") from None
    if len(set(names)) < len(names):
        raise BadRequest(f"{path.name} has two columns of the same name in its first line: {listed(names, 12)}")
    table, ends, reader = [], [], csv.reader(lines, delimiter=separator)
    try:
        for row in reader:
            if row and any(cell.strip() for cell in row):
                table.append(_complete(row, names, path.name, reader.line_num + 1))
                ends.append(reader.line_num + 1)
            if len(table) > max_rows:
                raise BadRequest(f"{path.name} has more than {max_rows:,} rows, which is the limit; split it, or raise the limit in the settings")
    except csv.Error:
        raise BadRequest(f"row {reader.line_num + 1} of {path.name} cannot be read: it holds a cell of more than {csv.field_size_limit():,} characters, or a byte that is not text") from None
    if not table:
        raise BadRequest(f"{path.name} has no row under its first line; choose a file that holds some")
    return TextRows(path.name, dict(zip(names, zip(*table, strict=True), strict=True)), ends)


def _complete(row: list[str], names: Sequence[str], file: str, line: int) -> list[str]:
    if len(row) != len(names):
        raise BadRequest(f"row {line} of {file} has {len(row)} values where its first line names {len(names)}; put values that hold a separator in quotes")
    return [cell.strip() for cell in row]


def instant(text: str, utc: bool = False) -> int | None:
    """Nanoseconds UTC of a written time; None for a day without a time of day. ``utc``: a time without a zone is in UTC. Raises ValueError with the rest of
    a sentence that ends in the text.

    >>> instant("2024-07-11T14:30:00+02:00") == instant("2024-07-11 12:30", utc=True) == 1_720_701_000_000_000_000, instant("2024-07-11")
    (True, None)
    >>> instant("2024-07-11 12:30")
    Traceback (most recent call last):
    ...
    ValueError: , which has no zone; say that the times are in UTC, or give them with one, such as 2024-07-11T12:30:00Z
    """
    match = STAMP.fullmatch(text.strip())
    if not match:
        raise ValueError(WANTED)
    if not match["clock"]:
        return None
    zone = (match["zone"] or "").upper()
    if not zone and not utc:
        raise ValueError(", which has no zone; say that the times are in UTC, or give them with one, such as 2024-07-11T12:30:00Z")
    try:
        at = datetime.fromisoformat(f"{match['day'].replace('/', '-').replace('.', '-')}T{match['clock']}{zone if zone[:1] in '+-' and zone else '+00:00'}")
    except ValueError:
        raise ValueError(", and there is no such time; correct it") from None
    if at.year not in YEARS:
        raise ValueError(f"; its year must lie from {YEARS[0]} to {YEARS[-1]}")
    return (at - EPOCH) // MICROSECOND * 1_000


def instants(rows: TextRows, column: str, utc: bool = False) -> list[int | None]:
    """``instant`` of each row."""
    values = []
    for line, text in zip(rows.lines, rows.cells[column], strict=True):
        try:
            values.append(instant(text, utc))
        except ValueError as error:
            raise BadRequest(f"row {line} of {rows.file} has the {column} {text!r}{error}") from None
    return values


def times(nanoseconds: Sequence[int]) -> pd.Series:
    """Aware times in UTC."""
    return pd.Series(pd.to_datetime(np.array(nanoseconds, np.int64), utc=True)).dt.as_unit("ns")


def in_order(frame: pd.DataFrame, noun: str) -> ReadTable:
    """Rows sorted by ``ts`` without repeats; notes report what was changed."""
    notes = []
    if not frame["ts"].is_monotonic_increasing:
        notes.append(f"The {noun} were not in the order of their times; they are now.")
    once = frame.sort_values("ts", kind="stable").drop_duplicates(ignore_index=True)
    if len(once) < len(frame):
        notes.append(counted(len(frame) - len(once), "row was", "rows were", "there twice and counted once."))
    return ReadTable(once, tuple(notes))


def counted(count: int, singular: str, plural: str, rest: str) -> str:
    """
    >>> counted(1, "row was", "rows were", "there twice"), counted(1200, "row was", "rows were", "there twice")
    ('1 row was there twice', '1,200 rows were there twice')
    """
    return f"{count:,} {singular if count == 1 else plural} {rest}"
