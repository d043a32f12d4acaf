"""Heads of tables: a column is at least as wide as its title."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

MARGIN = 16         # pixels beside a title: a cell's padding
BOLDER = 1.05
DIGIT, OTHER = 6.09, 8.2        # pixels; OTHER: of what is not among LETTERS
LETTERS = {             # pixels of a letter in Source Sans of 12.25 px, which the tables write titles in
    2.5: " ", 3.1: ",.:;'Iijl|", 3.8: "!()-[]f", 4.3: "/rt", 5.2: "*?\"szx", 5.7: "vycJ", 6.1: "+<=>_−×÷#$aegk~", 6.4: "LYVF", 6.7: "AESXZTbdhnopqu",
    7.1: "BCRPK&", 7.6: "DG", 8.1: "HNOQU", 9.0: "Mw", 9.7: "W", 10.2: "%m@", 11.7: "…",
}  # fmt: skip
WIDTH = {letter: width for width, letters in LETTERS.items() for letter in letters}


def width_of(title: str) -> int:
    """Pixels of a column that shows ``title`` whole.

    >>> width_of("R"), width_of("Hash"), width_of("Sign-consistent years")
    (24, 43, 127)
    """
    return ceil(sum(DIGIT if letter.isdigit() else WIDTH.get(letter, OTHER) for letter in title)) + MARGIN


def grid_width_of(title: str) -> int:
    """The same of a column of an AgGrid (app.kit.grid), whose titles are bolder.

    >>> grid_width_of("R"), grid_width_of("Entry price")
    (25, 76)
    """
    return ceil((width_of(title) - MARGIN) * BOLDER) + MARGIN


def with_whole_titles(columns: Mapping[str, Any]) -> dict[str, Any]:
    """``columns`` as a table takes them, those too narrow for their title widened; the order and the others stay.

    >>> wide = with_whole_titles({"holds": {"label": "Sign-consistent years", "width": 62}, "net": {"label": "Net", "width": 90}, "id": "Id"})
    >>> wide["holds"]["width"], wide["net"]["width"], wide["id"]
    (127, 90, 'Id')
    """
    return {name: _wide(column) for name, column in columns.items()}


def _wide(column: Any) -> Any:
    width = column.get("width") if isinstance(column, dict) else None
    return {**column, "width": max(width, width_of(column.get("label") or ""))} if isinstance(width, int) else column
