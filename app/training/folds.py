"""Folds of a training: what each stretch of time is used for, with purge and embargo; the paths of a CPCV."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import plural
from app.kit.text import literal
from app.kit.widgets import section, table
from app.training import charts
from app.training.panels import headed
from worker.desk import Desk
from worker.desk.training_tables import PARTS, sizes, spans


def view(desk: Desk, run: Any) -> None:
    """The Gantt of all folds, and a row each."""
    stretches = drawn(desk, run.id)
    if stretches.empty:
        st.caption("This run has no folds.")
        return
    counts = sizes(stretches)
    headed(desk, run, "Folds", "what each stretch of time is used for, UTC", "folds")
    takeaway = f"{plural(len(counts), 'fold')}: {int(counts['purged'].sum()):,} samples purged and {int(counts['embargoed'].sum()):,} embargoed over all of them"
    draw_chart(charts.gantt(stretches), alt=takeaway)
    st.caption(literal(f"{takeaway}. A purged sample's span touches a test block; an embargoed one starts right after it, or in a walk-forward ends right before it. Neither is learnt from."))
    _table(counts)


def _table(counts: pd.DataFrame) -> None:
    config = st.column_config
    shown = counts.assign(first=counts["first"].dt.strftime("%Y-%m-%d"), last=counts["last"].dt.strftime("%Y-%m-%d"))
    columns: dict[str, Any] = {"fold": config.NumberColumn("Fold", width=46), "first": config.TextColumn("Test from", width=86), "last": config.TextColumn("Test to", width=86)}
    columns |= {part: config.NumberColumn(part.capitalize(), format="localized", width=82) for part in PARTS}
    section("Samples of each part", "counts; days are UTC")
    table(shown, columns, f"Samples of each part of {plural(len(counts), 'fold')}", row_height=26, height="auto" if len(counts) <= 16 else 420)


@st.cache_data(max_entries=32, show_spinner=False)
def drawn(_desk: Desk, run_id: str) -> pd.DataFrame:
    samples, folds = _desk.training.table(run_id, "samples"), _desk.training.table(run_id, "folds")
    return spans(samples, folds)
