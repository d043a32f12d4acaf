"""Figures of the benchmarks at their places in docs/scale.md: each in the row of its name, in the column of its title."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "scale.md"


@dataclass(frozen=True)
class Cell:
    """``row`` is how the first cell of its line begins; ``column``: the title over it, which is added where there is none."""

    row: str
    column: str
    figure: str


def kept(cells: list[Cell], page: Path = PAGE) -> None:
    """Write the figures down. One that was measured while the machine did other work as well says so."""
    text = page.read_text(encoding="utf-8")
    for cell in cells:
        text = placed(text, Cell(cell.row, cell.column, cell.figure + loaded()))
    page.write_text(text, encoding="utf-8")


def loaded() -> str:
    """How busy the machine is, where that is more than its cores and the benchmark's own processes do."""
    load = os.getloadavg()[0]
    return f" (load {load:.0f})" if load > 3 * (os.cpu_count() or 1) else ""


def placed(text: str, cell: Cell) -> str:
    """
    >>> print(placed("| of | 1 | 2 |\\n|---|---|---|\\n| jobs a second | | 7 |", Cell("jobs", "1", "90")))
    | of | 1 | 2 |
    |---|---|---|
    | jobs a second | 90 | 7 |
    >>> print(placed("| of | 1 |\\n|---|---|\\n| jobs a second | 9 |\\n| more | |", Cell("jobs", "4", "90")))
    | of | 1 | 4 |
    |---|---|---|
    | jobs a second | 9 | 90 |
    | more | | |
    """
    lines = text.split("\n")
    row = next((number for number, line in enumerate(lines) if line.startswith(f"| {cell.row}")), None)
    if row is None:
        raise ValueError(f"no row of the page begins with {cell.row!r}")
    first, last = row, row
    while first and lines[first - 1].startswith("|"):
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].startswith("|"):
        last += 1
    titles = _cells(lines[first])
    if cell.column not in titles:
        titles.append(cell.column)
        lines[first : last + 1] = [f"{line} {cell.column} |" if number == 0 else f"{line}---|" if number == 1 else f"{line} |" for number, line in enumerate(lines[first : last + 1])]
    cells = _cells(lines[row])
    cells[titles.index(cell.column)] = cell.figure
    lines[row] = "|" + "".join(f" {each} |" if each else " |" for each in cells)
    return "\n".join(lines)


def _cells(line: str) -> list[str]:
    """
    >>> _cells("| a | | 3 |")
    ['a', '', '3']
    """
    return [each.strip() for each in line.strip().strip("|").split("|")]
