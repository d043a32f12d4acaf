"""Would it have passed? One path against every rule set."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.compliance.saving import csv_button
from app.compliance.showing import job_of
from app.compliance.verdict import STATES
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import go, nothing, section, table
from worker.desk import Desk

COLOURS = {word: colour for colour, _, word in STATES.values()}


def would_it_have_passed(desk: Desk, subject: Any) -> None:
    """The table of every rule set; a row opens its judgement."""
    judged = desk.compliance.table(subject)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Would it have passed?", f"{subject.title} from its first day, every rule set")
        st.space("stretch")
        if judged:
            csv_button(desk, judged.run, "table")
    if job_of(desk, "presets", desk.compliance.table_job(subject)):
        return
    if judged is None:
        nothing("Not judged against all rule sets yet", "A year of M5 bars takes a few seconds.", lambda: _ask(desk, subject))
        return
    if judged.stale:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.badge("older version", color="gray", help=literal(judged.stale))
            st.caption(literal(judged.stale), width="content")
            _ask(desk, subject, "Judge again", "secondary")
    if note := judged.run.summary["path"].get("note"):
        st.caption(literal(note))
    rows = _rows(desk, judged.run.id)
    chosen = table(_shown(rows), _columns(), f"{subject.title} against {len(rows)} rule sets", key=f"presets-{judged.run.id}", pick=True)
    if chosen is not None:
        go("compliance", **subject.address, rules=str(rows["name"].iloc[chosen]), phase=str(rows["phase"].iloc[chosen]))
    for row in rows[rows["needs"] != ""].itertuples():
        st.caption(f":material/help: {literal(row.title)}: {literal(row.needs)}")


def _ask(desk: Desk, subject: Any, label: str = "Judge against all", kind: Any = "secondary") -> None:
    if st.button(label, icon=":material/gavel:", key=f"ask-presets-{subject.id}", type=kind, **allowed(desk, "compliance.submit_table")):
        desk.compliance.submit_table(subject)
        st.rerun()


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(verdict=[[STATES[word][2]] for word in rows["word"]])[["title", "verdict", "days", "by", "used", "confidence"]]


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "title": config.TextColumn("Rule set", width=150),
        "verdict": config.MultiselectColumn("Verdict", width=70, options=list(COLOURS), color=list(COLOURS.values())),
        "days": config.NumberColumn("Days", width=40, help="Trading days until it passed or failed; of an open one all days."),
        "by": config.TextColumn("First breach", width=140),
        "used": config.ProgressColumn("Used", format="percent", min_value=0, max_value=1, width=62, help="Of the rule with the least headroom: the share of its allowance that is used at the end, or where it passed; all of it where it failed."),
        "confidence": config.TextColumn("Source", width=60),
    }


@st.cache_data(max_entries=16, show_spinner=False)
def _rows(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.compliance.table_rows(run_id)
