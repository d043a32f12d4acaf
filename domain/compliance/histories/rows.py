"""Rows of a statement, whatever it is written in: HTML read without running it, or separated text.

A row is its cells by column: a cell that spans columns stands at its first one. Nothing of a file is ever executed,
loaded or followed: tags, scripts, styles and comments are skipped, only the text of table cells is read.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from domain.compliance.histories.base import HistoryLimits
from domain.errors import BadRequest
from domain.market.readers.files import content

PIECE = 65_536  # letters that are parsed at once
UNFINISHED = 1_000_000  # letters of a tag or comment that never ends
LONGEST_CELL = 4_000  # letters
WATCHED = 2_000  # lines between two reports of progress
MOST_COLUMNS = 200
SEPARATORS = (",", ";", "\t")
BLANKS = re.compile(r"[ \t\r\n\f\v]+")


@dataclass(frozen=True)
class Row:
    """Cells of a row: column -> text. ``line`` counts from 1: of a text its line, of HTML the row's place in it.

    ``hidden``: text of cells that are not shown. ``title``: of the first cell that has one.
    """

    line: int
    cells: dict[int, str]
    hidden: str = ""
    title: str = ""

    def __getitem__(self, column: int) -> str:
        return self.cells.get(column, "")

    @property
    def texts(self) -> list[str]:
        """Cells that are not empty, in order."""
        return [text for _, text in sorted(self.cells.items()) if text]

    @property
    def first(self) -> str:
        return self[0]


def text_of(path: Path, limits: HistoryLimits) -> str:
    """All of a statement as text: UTF-8, or UTF-16 as MetaTrader 5 writes it; what is neither is read as far as it is
    ASCII, in which all that is evaluated is written.
    """
    return content(path, min(limits.max_bytes, HistoryLimits().max_bytes)).decode("utf-8", "replace")


def html_rows(text: str, name: str, limits: HistoryLimits) -> Iterator[Row]:
    """The rows of every table, in order."""
    parser = _Tables(name, limits.max_rows)
    for start in range(0, len(text), PIECE):
        limits.watch(start / len(text))
        parser.feed(text[start : start + PIECE])
        if len(parser.rawdata) > UNFINISHED:
            raise BadRequest(
                f"{name} has a tag or comment without an end after row {parser.count:,}; save the report again"
            )
        yield from parser.taken()
    parser.close()
    parser.end_row()
    yield from parser.taken()


def text_rows(text: str, name: str, limits: HistoryLimits, separator: str = "") -> Iterator[Row]:
    """The lines of separated text; the separator is the one that most of the first lines have."""
    lines = text.split("\n")
    separator = separator or separator_of(lines[:200])
    reader = csv.reader(lines, delimiter=separator)
    try:
        for count, cells in enumerate(reader, 1):
            if count > limits.max_rows:
                raise BadRequest(f"{name} has more than {limits.max_rows:,} rows, which is the limit; split it")
            if count % WATCHED == 0:
                limits.watch(min(1.0, count / len(lines)))
            if any(cell.strip() for cell in cells):
                yield Row(reader.line_num, {k: clean(cell) for k, cell in enumerate(cells[:MOST_COLUMNS])})
    except csv.Error:
        raise BadRequest(
            f"{name}: line {reader.line_num + 1:,} has a quotation mark that does not end, or a cell that is too long"
        ) from None


def separator_of(lines: Sequence[str]) -> str:
    """
    >>> separator_of(["Time;Type;Volume", "2024.01.02 10:00;buy;0,10"]), separator_of(["a,b"])
    (';', ',')
    """
    return max(SEPARATORS, key=lambda separator: sum(line.count(separator) for line in lines))


def clean(text: str) -> str:
    """A cell's text without the spaces around it; those inside stay, as numbers are written with them.

    >>> clean("\\u00a0 1\\u00a0000.00 \\n")
    '1\\xa0000.00'
    """
    return BLANKS.sub(" ", text[:LONGEST_CELL]).strip(" \u00a0\ufeff")


class _Tables(HTMLParser):
    def __init__(self, name: str, most: int) -> None:
        super().__init__(convert_charrefs=True)
        self.name, self.most, self.count = name, most, 0
        self._rows: list[Row] = []
        self._cells: dict[int, str] | None = None
        self._text: list[str] | None = None
        self._length = self._column = self._span = 0
        self._hides = False
        self._hidden = self._title = ""

    def taken(self) -> list[Row]:
        """The rows that were completed since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.end_row()
            self._cells, self._column, self._hidden, self._title = {}, 0, "", ""
        elif tag in ("td", "th") and self._cells is not None:
            self._end_cell()
            values = {key: value or "" for key, value in attrs}
            self._text, self._length, self._span = [], 0, _span(values.get("colspan", ""))
            self._hides = "hidden" in values.get("class", "").split() or "display:none" in values.get(
                "style", ""
            ).replace(" ", "")
            self._title = self._title or clean(values.get("title", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._end_cell()
        elif tag in ("tr", "table", "html"):
            self.end_row()

    def handle_data(self, data: str) -> None:
        if self._text is not None and self._length < LONGEST_CELL:
            self._text.append(data[:LONGEST_CELL])
            self._length += len(data)

    def end_row(self) -> None:
        """A row ends where its tag, its table or the file does, or the next begins."""
        self._end_cell()
        cells, self._cells = self._cells, None
        if cells is None:
            return
        self.count += 1
        if self.count > self.most:
            raise BadRequest(
                f"{self.name} has more than {self.most:,} rows, which is the limit; export a shorter period"
            )
        if any(cells.values()):
            self._rows.append(Row(self.count, cells, self._hidden, self._title))

    def _end_cell(self) -> None:
        text, self._text = self._text, None
        if text is None or self._cells is None:
            return
        if self._hides:
            self._hidden = self._hidden or clean("".join(text))
        elif self._column < MOST_COLUMNS:
            self._cells[self._column] = clean("".join(text))
            self._column += self._span


def _span(text: str) -> int:
    return min(max(int(text), 1), MOST_COLUMNS) if text.isascii() and text.isdigit() and len(text) < 6 else 1
