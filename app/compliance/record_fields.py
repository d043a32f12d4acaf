"""Fields that regulations ask of order records, looked up in those of a run."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from app.compliance.pickers import Choice
from app.kit.figures import typeset
from app.kit.text import literal
from app.kit.widgets import attempt, download, nothing, section, table
from worker.desk import Desk

MOST = 20_000       # trades; the records of more are looked up by `tidemark compliance fields`


def record_fields(desk: Desk, choice: Choice) -> None:
    """Which required field is there, and which is missing, set by set."""
    if choice.subject is None or choice.subject.kind != "run":
        return nothing("No run", "Choose a run above: its orders and fills are looked up.")
    run = desk.backtests.get(choice.subject.id)
    if (run.summary["metrics"]["trades"] or 0) > MOST:
        return nothing("Too many records for the page", f"Run tidemark compliance fields --run {run.id} in the terminal.")
    checks = attempt(lambda: _checks(desk, run.id))
    if checks is None:
        return
    st.caption(f"{literal(desk.fields.notice())} Not a certification.")
    for check in checks:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            section(check.fields.title, check.fields.authority)
            st.space("stretch")
            download(f"{check.fields.title} CSV", f"{run.id}_{check.fields.key}.csv", "text/csv", partial(desk.fields.download, run.id, check.fields.key), f"fields-{run.id}-{check.fields.key}")
        st.markdown(literal(typeset(check.sentence)))
        figure = check.fields.figure
        st.caption(literal(f"{check.fields.who} Read {figure.retrieved} ({figure.confidence}): {figure.source}"))
        shown = check.rows.assign(state=[[state] for state in check.rows["state"]])
        table(shown, _columns(), f"Fields of {check.fields.title} in the records of run {run.id}", height=320)


def _columns() -> dict[str, Any]:
    config = st.column_config
    states = ["present", "missing in some", "missing", "where it applies", "not required"]
    return {
        "number": config.TextColumn("No.", width=60), "field": config.TextColumn("Field", width=260), "state": config.MultiselectColumn("State", width=118, options=states, color=["green", "yellow", "red", "gray", "gray"]),
        "required": config.NumberColumn("Records", format="localized", width=64, help="Records that the field is required of."), "missing": config.NumberColumn("Without", format="localized", width=64),
        "examples": config.TextColumn("First without it", width=150), "note": config.TextColumn("Note", width=180),
    }  # fmt: skip


@st.cache_data(max_entries=4, show_spinner=False)
def _checks(_desk: Desk, run_id: str) -> Any:
    return _desk.fields.of_run(run_id)
