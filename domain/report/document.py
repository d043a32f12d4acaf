"""The content of a report, before it is a page or a text: sections of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.report.svg import Chart

MARKS = {"up": "✓", "down": "▼", "warn": "!", "breach": "✕", "quiet": "·", "other": "◆"}     # of a tone: colour is never the only mark


@dataclass(frozen=True)
class Cell:
    """``tone``: up, down, warn, breach, quiet, d0 … d9; ``kind``: code, strong, wrap."""

    text: str
    tone: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Figure:
    """A key figure, its note, and its definition."""

    title: str
    value: str
    note: str
    definition: str


@dataclass(frozen=True)
class Figures:
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Prose:
    """A sentence; ``tone`` and ``mark`` where it is a verdict or a remark."""

    text: str
    tone: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """``columns``: titles; one beginning with ``>`` is of numbers and right-aligned."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    title: str = ""
    kind: str = ""              # months: a heat map


@dataclass(frozen=True)
class Picture:
    """A chart, and what a text shows in its place."""

    chart: Chart
    lines: Sequence[str] = ()
    title: str = ""


@dataclass(frozen=True)
class Beside:
    """Blocks side by side where there is room."""

    blocks: Sequence[Picture | Table]


Block = Figures | Prose | Table | Picture | Beside


@dataclass(frozen=True)
class Section:
    """``note`` gives unit, span and clock."""

    key: str
    title: str
    note: str = ""
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Document:
    title: str
    sentence: str
    badges: Sequence[Cell] = ()
    verdict: Prose = field(default_factory=lambda: Prose(""))
    sections: Sequence[Section] = ()
    foot: str = ""


def cell(content: str | Cell) -> Cell:
    return content if isinstance(content, Cell) else Cell(content)


def right(column: str) -> bool:
    return column.startswith(">")


def name_of(column: str) -> str:
    return column.removeprefix(">")
