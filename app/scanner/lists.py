"""Earlier scans: the closed form of one, its actions, and the list."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import number, plural
from app.kit.rights import allowed
from app.kit.tables import kind_column, kind_of
from app.kit.text import literal
from app.kit.widgets import go, section, table
from worker.desk import Desk


def sentence(run: Any) -> str:
    """The settings of a scan in one line: the closed form."""
    summary, criteria = run.summary, run.summary["criteria"]
    instruments, strategies = summary["instruments"], summary["strategies"]
    return literal(
        f"{', '.join(instruments[:4])}{f' and {len(instruments) - 4} more' if len(instruments) > 4 else ''} · {', '.join(summary['timeframes'])} · {plural(len(strategies), 'strategy', 'strategies')} · "
        f"the last {criteria['history']} trades, at least {criteria['fewest']} · ES 95 ≤ {number(criteria['es95'], 1)} per 1,000 · correlation ≤ {number(criteria['correlation'], 2)}"
    )


def actions(desk: Desk, run: Any) -> None:
    if st.button("New", icon=":material/add:", help="A new scan; this one stays in the list."):
        go("scanner")
    if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "scanner.delete")):
        _delete(desk, run)


@st.dialog("Delete this scan?")
def _delete(desk: Desk, run: Any) -> None:
    st.markdown(f"**{literal(run.title)}** `{run.id}` with {plural(run.summary['combinations'], 'verdict')} is removed. Its trials stay counted; its audit events stay.")
    if st.button("Delete scan", type="primary", icon=":material/delete:", **allowed(desk, "scanner.delete")):
        desk.scanner.delete(run.id)
        go("scanner")


def earlier(runs: list[Any], run: Any) -> None:
    """The list of scans; a chosen one is opened."""
    if not runs:
        return
    section("Scans", "newest first, UTC")
    rows = [dict(kind=kind_of(each.synthetic), title=each.title, at=pd.Timestamp(each.summary["at"]), combinations=each.summary["combinations"], proposals=len(each.summary["proposals"]), created=each.created_at) for each in runs]
    config = st.column_config
    columns = {
        "kind": kind_column(), "title": config.TextColumn("Scan", width=330), "at": config.DatetimeColumn("Bar closed", timezone="UTC", format="YYYY-MM-DD HH:mm", width=124),
        "combinations": config.NumberColumn("Combinations", format="localized", width=92), "proposals": config.NumberColumn("Proposals", width=76),
        "created": config.DatetimeColumn("Scanned", timezone="UTC", format="YYYY-MM-DD HH:mm", width=124),
    }  # fmt: skip
    picked = table(pd.DataFrame(rows), columns, f"{len(rows)} scans", key="scans", pick=True)
    if picked is not None and (run is None or runs[picked].id != run.id):
        go("scanner", run=runs[picked].id)
