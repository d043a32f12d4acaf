"""Checks of a model over time: coverage, Brier score, and the list of what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.drawn import download_drawn
from app.kit.draw import draw_chart
from app.kit.figures import clock, plural, typeset
from app.kit.text import literal
from app.kit.widgets import table
from app.training import curves
from app.training.panels import csv_button

BRIER = 3.0         # deviations of the Brier score from which it is an alarm by default
COLOURS = {"alarm": "yellow", "calm": "green", "unknown": "gray"}
OVER_TIME = {       # figure -> title, note, limits
    "coverage": ("Coverage", "share of outcomes inside the widest interval, with the 99 % band in which chance alone moves it; a point a check, UTC", ()),
    "brier": ("Brier score", "deviations above what the probabilities themselves promise; a point a check, UTC", (BRIER,)),
    "expected": ("Expected Brier score", "from the probabilities alone, before any outcome is known; a point a check, UTC", ()),
}  # fmt: skip


def headed(title: str, note: str, frame: pd.DataFrame, name: str) -> None:
    """A heading with its note, and the download of what is drawn below it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.subheader(literal(title), anchor=False, width="content")
        st.caption(literal(note), width="content")
        st.space("stretch")
        download_drawn("CSV", f"{name}.csv", frame, f"take-{title}-{name}")


def history_of(checks: Sequence[Any]) -> pd.DataFrame:
    """``figure, ts, value, low, high, nominal, count, alarm``: a row a check and figure, oldest first."""
    rows: list[dict[str, Any]] = []
    for check in reversed(checks):
        facts = check.facts
        for row in [row for row in facts.get("coverage") or [] if row.get("coverage") is not None][:1]:
            rows.append(dict(figure="coverage", ts=check.at, value=row["coverage"], low=row["low"], high=row["high"], nominal=row["nominal"], count=row["count"], alarm=row["state"] == "alarm"))
        for row in [row for row in facts.get("brier") or [] if row.get("z") is not None][:1]:
            rows.append(dict(figure="brier", ts=check.at, value=row["z"], count=row["count"], alarm=row["state"] == "alarm"))
        if facts.get("expected_brier") is not None:
            rows.append(dict(figure="expected", ts=check.at, value=facts["expected_brier"], count=facts.get("samples"), alarm=False))
    return pd.DataFrame(rows, columns=["figure", "ts", "value", "low", "high", "nominal", "count", "alarm"])


def view(checks: Sequence[Any]) -> None:
    """Each figure over the checks, and the checks themselves."""
    every = history_of(checks)
    for name, (title, note, limits) in OVER_TIME.items():
        part = every[every["figure"] == name]
        if len(part) < 2:
            continue
        headed(title, note, part, f"{name}_over_time")
        alt = f"{title} over {plural(len(part), 'check')}; {plural(int(part['alarm'].sum()), 'alarm')}"
        picture = curves.coverage(part) if name == "coverage" else curves.over_time(part, f"{title}, deviations" if name == "brier" else title, limits)
        draw_chart(picture, alt=alt)
    _log(checks)


def _log(checks: Sequence[Any]) -> None:
    rows = pd.DataFrame([dict(at=clock(check.at), state=[check.state], sentence=typeset(check.sentence), run=check.run) for check in checks])
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.subheader("Checks", anchor=False, width="content")
        st.caption("newest first, UTC", width="content")
        st.space("stretch")
        csv_button("checks.csv", rows.assign(state=[check.state for check in checks]), "take-checks")
    config = st.column_config
    columns = {
        "at": config.TextColumn("Checked, UTC", width=116), "state": config.MultiselectColumn("State", width=80, options=list(COLOURS), color=list(COLOURS.values())),
        "sentence": config.TextColumn("Finding", width=600), "run": config.TextColumn("Run", width=62),
    }  # fmt: skip
    table(rows, columns, f"{plural(len(rows), 'check')} of the model", row_height=26, height="auto" if len(rows) <= 8 else 246)
