"""Versions of a saved rule set, and what differs between two."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.compliance.pickers import Choice
from app.kit.figures import clock, plural, short
from app.kit.text import literal
from app.kit.widgets import attempt, download, section, table
from worker.desk import Desk


def versions(desk: Desk, choice: Choice) -> None:
    """The versions, and the difference between two of them, or from the preset that it began from."""
    row = choice.rules
    stored = desk.rule_sets.versions(row.name)
    if not stored:
        return
    left, right = st.columns([3, 4], gap="medium")
    with left:
        section("Versions", f"{plural(len(stored), 'version')}, newest first, UTC; none is changed or removed")
        table(_frame(stored), _columns(), f"Versions of {row.name}")
    with right:
        _difference(desk, choice, stored)


def _difference(desk: Desk, choice: Choice, stored: list[Any]) -> None:
    row = choice.rules
    names = {f"{row.name}@{version.version}": f"version {version.version}" for version in stored}
    names |= {row.base: f"preset {row.base}"} if row.base else {}
    section("Difference", f"phase {choice.phase}")
    with st.container(horizontal=True, vertical_alignment="center"):
        before = st.selectbox("From", list(names), index=min(1, len(names) - 1), format_func=names.__getitem__, key=f"from-{row.name}-{row.version}", width=170)
        after = st.selectbox("To", list(names), index=0, format_func=names.__getitem__, key=f"to-{row.name}-{row.version}", width=170)
        download("CSV", f"{row.name}_difference.csv", "text/csv", partial(desk.rule_sets.download_difference, before, after), f"difference-{row.name}-{before}-{after}")
    frame = attempt(lambda: desk.rule_sets.difference(before, after, choice.phase))
    if frame is None:
        return
    if frame.empty:
        st.caption(literal(f"Nothing differs between {names[before]} and {names[after]}."))
        return
    table(frame, _difference_columns(), f"{plural(len(frame), 'figure')} differ between {names[before]} and {names[after]}")


def _frame(stored: list[Any]) -> pd.DataFrame:
    rows = [dict(version=each.version, at=clock(each.created_at), by=each.actor, why=f"retired: {each.why}" if each.retired else each.why, digest=short(each.digest)) for each in stored]
    return pd.DataFrame(rows)


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "version": config.NumberColumn("Version", width=54), "at": config.TextColumn("Saved", width=112), "by": config.TextColumn("User", width=64),
        "why": config.TextColumn("Reason", width=150), "digest": config.TextColumn("SHA-256", width=70),
    }  # fmt: skip


def _difference_columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "title": config.TextColumn("Figure", width=160), "before": config.TextColumn("Before", width=100), "after": config.TextColumn("After", width=100),
        "source_after": config.TextColumn("Source after", width=120), "confidence_after": config.TextColumn("Confidence", width=80),
    }  # fmt: skip
