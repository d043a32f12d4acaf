"""Data grids to sort, filter and select from: AgGrid in the theme of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st
from st_aggrid import AgGrid, StAggridTheme

from app.kit.heads import grid_width_of

_DIGITS = "Math.abs(value).toLocaleString('en-US', {minimumFractionDigits: %d, maximumFractionDigits: %d})"
SIGNED = "value == null ? '\u2014' : (value < 0 ? '\u2212' : '+') + " + _DIGITS
PLAIN = "value == null ? '\u2014' : (value < 0 ? '\u2212' : '') + " + _DIGITS
BACK, FORE = "var(--background-color)", "var(--text-color)"     # the component's frame receives the theme as CSS variables


def _mixed(colour: str, share: int) -> str:
    return f"color-mix(in srgb, {colour} {share}%, {FORE})"


TINTS = {".up": _mixed("#12929C", 70), ".down": _mixed("#D9691B", 75), ".bad": _mixed("#D8385A", 75), ".synthetic": _mixed("#C765AC", 75), ".mute": _mixed(BACK, 35)}
FAINT = f"color-mix(in srgb, {FORE} 10%, {BACK})"
HEAD = f"color-mix(in srgb, {FORE} 4%, {BACK})"
ROW, TOP = 26, 30       # pixels
TEXT = dict(cellDataType="text", filter="agTextColumnFilter")     # times too: AgGrid infers a date from them otherwise, and finds none
NUMBER = dict(cellDataType="number", filter="agNumberColumnFilter")
FILTERS = "A filter of a text or time column finds what is typed anywhere in it, such as 2019-01. An empty table means that nothing fits."


Column = tuple[str, dict[str, Any]]      # title and AgGrid's options of one column


def right(places: int = 0, signed: bool = False, **more: Any) -> dict[str, Any]:
    """A right-aligned number; a signed one is coloured by its sign."""
    rules = {"cellClassRules": {"up": "x > 0", "down": "x < 0"}} if signed else {}
    return dict(type="rightAligned", valueFormatter=(SIGNED if signed else PLAIN) % (places, places), **NUMBER, **rules, **more)


def column_of(field: str, title: str, own: Mapping[str, Any], filters: bool) -> dict[str, Any]:
    """One column's options: sorted and filtered as text unless it is declared a number, and no narrower than its title."""
    own = {name: max(value, grid_width_of(title)) if name in ("width", "minWidth") else value for name, value in own.items()}
    every = dict(sortable=True, floatingFilter=filters, suppressHeaderFilterButton=True, resizable=True)
    return dict(field=field, headerName=title, **{**every, **({} if "filter" in own else TEXT), **own})


def grid(frame: pd.DataFrame, columns: Mapping[str, Column], key: str, rows: int = 10, pick: bool = False, filters: bool = False, chosen: int | None = None) -> pd.Series | None:
    """Draw ``frame``; ``columns``: field -> (title, options). With ``pick`` the chosen row comes back, or None.

    ``chosen`` is the position of a row that is chosen before anyone clicks.
    """
    options: dict[str, Any] = dict(
        columnDefs=[column_of(field, title, own, filters) for field, (title, own) in columns.items()],
        rowHeight=ROW,
        headerHeight=28,
        suppressCellFocus=False,
        animateRows=False,
        overlayNoRowsTemplate="Nothing fits these filters",
    )
    if pick:
        options["rowSelection"] = dict(mode="singleRow", checkboxes=False, enableClickSelection=True)
        if chosen is not None:
            options["initialState"] = dict(rowSelection=[str(chosen)], scroll=dict(top=ROW * max(chosen - 3, 0), left=0))
    shown = AgGrid(
        frame[list(columns)].copy(),
        gridOptions=options,
        height=TOP + ROW * min(rows, max(len(frame), 2)) + (28 if filters else 0),
        theme=_theme(),
        key=f"{key}-{st.context.theme.type}",       # a live theme switch leaves the frame unstyled until it is created again
        show_toolbar=False,
        update_on=["selectionChanged"] if pick else [],
        custom_css={name: {"color": f"{colour} !important"} for name, colour in TINTS.items()},
    )
    selected = shown.selected_rows if pick else None
    return selected.iloc[0] if selected is not None and len(selected) else None


def _theme() -> StAggridTheme:
    return StAggridTheme(base="quartz").withParams(
        fontFamily="Source Sans, Source Sans Pro, sans-serif", fontSize=12.5, spacing=4, borderRadius=4, wrapperBorderRadius=4,
        cellHorizontalPadding=8, backgroundColor=BACK, foregroundColor=FORE, headerBackgroundColor=HEAD,
        headerTextColor=TINTS[".mute"], headerFontWeight=500, borderColor=FAINT, rowBorder=f"solid 1px {FAINT}", columnBorder=False,
        oddRowBackgroundColor=BACK, rowHoverColor=HEAD, accentColor="var(--primary-color)",
        selectedRowBackgroundColor=f"color-mix(in srgb, var(--primary-color) 16%, {BACK})",
    )  # fmt: skip
