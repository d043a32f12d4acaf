"""A table or chart of a page as a CSV file: what it shows, under the titles it shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from worker.desk import Desk
from worker.desk.export import csv_of

LONGEST = 60        # characters of a file's name


def file_name(alt: str) -> str:
    """The name of the file of a table that ``alt`` describes, cut at a word.

    >>> file_name("Costs of one lot, by instrument"), len(file_name("drawdowns " * 20))
    ('costs_of_one_lot_by_instrument.csv', 63)
    """
    words = re.sub(r"[^a-z0-9]+", "_", alt.lower()).strip("_")
    return f"{words if len(words) <= LONGEST else words[: LONGEST + 1].rpartition('_')[0]}.csv"


def titled(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """The columns that are shown, under their titles; a list of words as one text, of numbers with blanks between.

    >>> titled(pd.DataFrame({"net": [1.5], "kind": [["real", "old"]], "id": [7]}), {"kind": "Data", "net": {"label": "Net, %"}}).to_dict("list")
    {'Data': ['real, old'], 'Net, %': [1.5]}
    """
    titles = {name: _title(name, column) for name, column in columns.items() if name in frame}
    several = {title for title, times in Counter(titles.values()).items() if times > 1}
    return frame[list(titles)].map(_cell).rename(columns={name: f"{title}, {name}" if title in several else title for name, title in titles.items()})


def content(desk: Desk | None, frame: pd.DataFrame, columns: Mapping[str, Any], name: str) -> bytes:
    """The file; with ``desk`` the download is an audit event."""
    shown = titled(frame, columns)
    return desk.trail.table(shown, name) if desk else csv_of(shown)


def values(desk: Desk | None, frame: pd.DataFrame, name: str) -> bytes:
    """The file of values that have no titles, under their own names, as of a chart."""
    return content(desk, frame, {column: None for column in frame}, name)


def _title(name: str, column: Any) -> str:
    label = column.get("label") if isinstance(column, dict) else column
    return label or name


def _cell(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    return (", " if all(isinstance(part, str) for part in value) else " ").join(map(str, value))
