"""Headings with a download, and reads of finished runs, which never change."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.drawn import download_drawn
from app.kit.text import literal
from app.kit.widgets import download
from worker.desk import Desk

STORED = {"samples": "Samples", "folds": "Folds", "predictions": "Predictions", "scores": "Scores of folds"}
PARTIAL = {"predictions": "Predictions", "scores": "Scores of folds"}      # tables of a run that was cancelled
STATES: Mapping[str, tuple[Any, str]] = {       # state of a verdict, a control or a gate -> colour and icon
    "green": ("green", ":material/check:"), "amber": ("yellow", ":material/warning:"), "red": ("red", ":material/error:"), "open": ("gray", ":material/help:"),
}  # fmt: skip


@st.cache_data(max_entries=64, show_spinner=False)
def report(_desk: Desk, run_id: str) -> dict[str, Any]:
    """The report of a finished run."""
    return dict(_desk.training.report(run_id))


def headed(desk: Desk, run: Any, title: str, note: str, name: str) -> None:
    """A heading with its note, and the download of a stored table."""
    _heading(title, note, lambda: download(f"{STORED[name]}, CSV", f"{run.id}_{name}.csv", "text/csv", partial(desk.training.download, run.id, name, "csv"), f"take-{title}-{run.id}", about=f"{STORED[name]}: the whole table."))


def over(run: Any, title: str, note: str, frame: pd.DataFrame, name: str) -> None:
    """A heading with its note, and the download of what is drawn below it."""
    _heading(title, note, lambda: download_drawn("CSV", f"{run.id}_{name}.csv", frame, f"take-{name}-{title}-{run.id}", f"run:{run.id}"))


def _heading(title: str, note: str, button: Any) -> None:
    """One line where it fits; beside each other, headings of two columns stay level."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.subheader(literal(title), anchor=False, width="content")
        st.caption(literal(note), width="content")
        st.space("stretch")
        button()


def everything(desk: Desk, run: Any, whole: bool) -> None:
    """All tables of a run, and its report, in one menu."""
    with st.popover("Export", icon=":material/download:"):
        for column, (form, label, mime) in zip(st.columns(2, gap="small"), (("csv", "CSV", "text/csv"), ("parquet", "Parquet", "application/octet-stream")), strict=True):
            with column:
                for name, title in STORED.items() if whole else PARTIAL.items():
                    download(f"{title}, {label}", f"{run.id}_{name}.{form}", mime, partial(desk.training.download, run.id, name, form), f"all-{name}-{form}-{run.id}")
        if whole:
            download("Report, JSON", f"{run.id}_report.json", "application/json", partial(desk.training.download, run.id, "report", "json"), f"all-report-{run.id}")


def badge(state: str, word: str) -> None:
    """The badge of a verdict, a control or a gate."""
    colour, icon = STATES.get(state, STATES["open"])
    st.badge(word, color=colour, icon=icon)


def csv_button(name: str, frame: pd.DataFrame, key: str) -> None:
    """The download of a table that is drawn."""
    download_drawn("CSV", name, frame, key)
