"""A chart on a page, and what it shows as a CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import altair as alt
import pandas as pd
import streamlit as st

from app.kit import table_file
from app.kit.widgets import file_button

CHECKED = False         # whether a chart is held against Vega-Lite's schema as it is drawn, as in the tests: it takes a fifth of the time of a page of charts
PARTS = ("layer", "vconcat", "hconcat", "concat")      # of a chart, each with values of its own


def draw_chart(picture: Any, alt: str, key: str | None = None, on_select: Literal["rerun", "ignore"] = "ignore", selection_mode: str | None = None) -> Any:
    """Draw ``picture``, which ``alt`` describes, with a button for its values; ``selection_mode``: what of it is chosen by a click. Streamlit's own picture file is hidden (style.py), as it is made past the audit trail."""
    with st.container(gap=None):
        drawn = st.altair_chart(_written(picture), width="stretch", alt=alt, key=key, on_select=on_select, selection_mode=selection_mode)
        file_button(alt, lambda desk, name: table_file.values(desk, charted(picture), name), "Download the chart's values as CSV")
    return drawn


def _written(picture: Any) -> Any:
    """``picture``, which is written without a check unless CHECKED."""
    if not CHECKED:
        object.__setattr__(picture, "to_dict", partial(type(picture).to_dict, picture, validate=False))
    return picture


def charted(picture: Any) -> pd.DataFrame:
    """The values of a chart, each table of them once, the widest first; of several tables one under the other, the column ``part`` tells which.

    >>> line, marks = (alt.Chart(pd.DataFrame({"x": [1], name: [2]})).mark_line() for name in "yz")
    >>> charted(line).to_dict("list"), charted(alt.layer(line, line, marks))["part"].tolist()
    ({'x': [1], 'y': [2]}, [1, 2])
    """
    tables: list[pd.DataFrame] = []
    for table in sorted(_tables(picture), key=lambda table: -len(table.columns)):
        if not any(set(table) <= set(other) and table.equals(other[list(table)]) for other in tables):
            tables.append(table)
    if len(tables) < 2:
        return tables[0] if tables else pd.DataFrame()
    return pd.concat([table.assign(part=number) for number, table in enumerate(tables, 1)], ignore_index=True)


def _tables(picture: Any) -> Iterator[pd.DataFrame]:
    if isinstance(table := getattr(picture, "data", None), pd.DataFrame):
        yield table
    for name in PARTS:
        for part in _listed(getattr(picture, name, None)):
            yield from _tables(part)
    if isinstance(picture, alt.FacetChart):
        yield from _tables(picture.spec)


def _listed(parts: Any) -> list[Any]:
    return parts if isinstance(parts, list) else []
