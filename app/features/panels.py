"""Tables of a finished run, cached as they never change; headings with a download; axes and number formats of the
views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.kit.figures import number
from app.kit.theme import LEFT, by_role
from app.kit.widgets import download
from worker.desk import Desk

BASIS_POINTS = 1e4      # a log return of 0.0001 is one
FORMS = (("csv", "CSV", "text/csv"), ("parquet", "Parquet", "application/octet-stream"))
END: dict[str, Any] = dict(titleAnchor="end", titleOpacity=0.75, titlePadding=4)


@st.cache_data(max_entries=128, show_spinner=False)
def read(_desk: Desk, verb: str, run_id: str, *about: Any) -> pd.DataFrame:
    """A table of the run; ``verb`` is the method of the desk that reads it."""
    return getattr(_desk.examinations, verb)(run_id, *about)


def headed(desk: Desk, run: Any, title: str, note: str, table: str) -> None:
    """A heading with its note, and the download of the whole table as CSV."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.subheader(title, anchor=False, width="content")
        st.caption(note, width="content")
        st.space("stretch")
        download("CSV", f"{run.id}_{table}.csv", "text/csv", partial(desk.examinations.download, run.id, table), f"take-{table}-{title}-{run.id}", about=f"{desk.examinations.tables(run.kind)[table]}: the whole table, of all features.")


def everything(desk: Desk, run: Any) -> None:
    """All tables of a run, in one menu."""
    with st.popover("Export", icon=":material/download:"):
        for column, (form, label, mime) in zip(st.columns(2, gap="small"), FORMS, strict=True):
            with column:
                for table, title in desk.examinations.tables(run.kind).items():
                    download(f"{title}, {label}", f"{run.id}_{table}.{form}", mime, partial(desk.examinations.download, run.id, table, form), f"all-{table}-{form}-{run.id}")


def scale(run: Any) -> tuple[float, str]:
    """Factor and unit in which the target's figures are shown."""
    return (1.0, "R") if run.summary["target"]["unit"] == "R" else (BASIS_POINTS, "bp")


def without_repeats(params: Sequence[Any], start: Mapping[str, Any] | None = None, without: Sequence[str] = ()) -> list[Any]:
    """Parameters for a form: a unit that repeats the name is left out. ``start``: other defaults."""
    shown = [replace(param, unit="", title=param.title or param.name.capitalize()) if param.unit == param.name else param for param in params if param.name not in without]
    return [replace(param, default=(start or {}).get(param.name, param.default)) for param in shown]


def measured(values: pd.Series, title: str, places: int, width: int, sign: bool = False, help: str | None = None) -> tuple[Any, Any]:
    """A column of metrics and its configuration: numbers, which can be sorted; text where any value is missing, as a
    table writes None for a missing number."""
    if values.isna().any():
        return [number(value, places, sign) for value in values], st.column_config.TextColumn(title, width=width, alignment="right", help=help)
    return values, st.column_config.NumberColumn(title, format=f"%{'+' if sign else ''}.{places}f", width=width, help=help)


def above(name: str, **more: Any) -> alt.Axis:
    """A y axis with its title at the top left."""
    return alt.Axis(title=name, titleAngle=0, titleAlign="left", titleAnchor="end", titleX=-LEFT, titleY=-10, titleOpacity=0.75, **more)


def plain(sign: bool = False, places: str = ",.6~g") -> dict[str, Any]:
    """Options of an axis whose labels have no exponents; zero has no sign."""
    return dict(format=f"{'+' if sign else ''}{places}", labelExpr="datum.value == 0 ? '0' : datum.label")


def rule(at: float, text: str, encoding: str = "y", role: str = "quiet", dash: tuple[int, int] = (3, 2)) -> alt.Chart:
    """A line across the chart at a value."""
    marks = alt.Chart(pd.DataFrame({"at": [at]})).transform_calculate(role=f"'{role}'").mark_rule(strokeDash=list(dash))
    return marks.encode(color=by_role(), tooltip=alt.value(text), **{encoding: alt.Y("at:Q") if encoding == "y" else alt.X("at:Q")})
