"""A document as plain text, 100 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from domain.report.document import Block, Document, Figures, Picture, Prose, Section, Table, cell, name_of, right
from domain.report.figures import plain

WIDTH = 100


def page(document: Document) -> bytes:
    """The report as text, in UTF-8."""
    badges = "".join(f" [{badge.text}]" for badge in document.badges)
    head = ["=" * WIDTH, *_wrapped(document.title + badges), *_wrapped(document.sentence), "=" * WIDTH, "", *_wrapped(f"{document.verdict.mark.upper()}: {document.verdict.text}")]
    body = [line for section in document.sections for line in _section(section)]
    return plain("\n".join(line.rstrip() for line in [*head, *body, "", "-" * WIDTH, *_wrapped(document.foot)]) + "\n").encode()


def _section(section: Section) -> list[str]:
    title = ["", section.title.upper(), "-" * len(section.title), *(_wrapped(section.note) if section.note else [])] if section.title else []
    return [*title, *(line for block in section.blocks for line in _block(block))]


def _block(block: Block) -> list[str]:
    if isinstance(block, Figures):
        return ["", *(f"{figure.title:<16}{plain(figure.value):>16}   {figure.note}" for figure in block.figures)]
    if isinstance(block, Prose):
        return _wrapped(f"{block.mark + ': ' if block.mark else ''}{block.text}", "  ", "- " if block.mark else "")
    if isinstance(block, Table):
        return ["", *([block.title] if block.title else []), *_table(block)]
    if isinstance(block, Picture):
        title = [*([""] if block.lines else []), *([block.title] if block.title and block.lines else [])]
        return [*title, *block.lines]
    return [line for part in block.blocks for line in _block(part)]


def _table(table: Table) -> list[str]:
    """The last column of words takes what is left, over several lines where it must."""
    rows = [[plain(name_of(column)) for column in table.columns], *([plain(cell(value).text) for value in row] for row in table.rows)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.columns))]
    gap = 1 if table.kind == "months" else 2
    widths = _fitted(table, widths, gap)
    lines = [line for row in rows for line in _row(row, widths, table.columns, gap)]
    return [*lines[:1], " " * 0 + (" " * gap).join("-" * width for width in widths), *lines[1:]]


def _fitted(table: Table, widths: list[int], gap: int) -> list[int]:
    """Columns of words that may wrap shrink until the line fits, the widest first."""
    may = [place for place in range(len(widths)) if any(cell(row[place]).kind in ("wrap", "code") for row in table.rows)] or [int(max(range(len(widths)), key=widths.__getitem__))]
    while sum(widths) + gap * (len(widths) - 1) > WIDTH:
        widest = max(may, key=lambda place: widths[place])
        if widths[widest] <= 12:
            break
        widths[widest] -= 1
    return widths


def _row(row: Sequence[str], widths: Sequence[int], columns: Sequence[str], gap: int) -> list[str]:
    cells = [textwrap.wrap(text, width) or [""] for text, width in zip(row, widths, strict=True)]
    lines = []
    for number in range(max(len(wrapped) for wrapped in cells)):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        lines.append((" " * gap).join(f"{part:>{width}}" if right(column) else f"{part:<{width}}" for part, width, column in zip(parts, widths, columns, strict=True)))
    return lines


def _wrapped(text: str, indent: str = "", first: str = "") -> list[str]:
    return textwrap.wrap(plain(text), WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)


