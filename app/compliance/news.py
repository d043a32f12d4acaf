"""News windows that matter now: releases of the next days that concern what is traded, by the rule set's minutes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.compliance.pickers import Choice
from app.kit.figures import clock, plural
from app.kit.text import literal
from app.kit.widgets import go, section, table
from worker.desk import Desk


def news(desk: Desk, choice: Choice) -> None:
    """The windows of the next seven days, where the rule set has a rule of news."""
    windows = desk.compliance.windows(choice.subject, choice.rules.name, choice.phase)
    if windows is None:
        return
    section("News windows", f"next 7 days, UTC; {windows.rule}")
    if not windows.calendar:
        return _import(":material/help: No calendar of releases is imported, so the rule of news is not judged.")
    if windows.ends:
        _import(f":material/warning: The calendar ends at {clock(windows.until)} UTC: releases after it are not known.")
    if windows.table.empty:
        st.caption(f"No release of {windows.currencies} in the next 7 days{' up to its end' if windows.ends else ''}.")
        return
    st.markdown(literal(_nearest(windows.table.iloc[0])))
    table(_shown(windows.table), _columns(), f"{plural(len(windows.table), 'news window')} of the next 7 days")


def _import(why: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(why, width="content")
        if st.button("Import releases…", type="tertiary"):
            go("data", view="external", do="import")


def _nearest(window: Any) -> str:
    """The first window in a sentence."""
    about = f"{window.title} ({window.currency}, {window.impact})"
    if window.now:
        return f"Inside the window of {about} until {window.end:%H:%M} UTC."
    return f"Next: {about} on {window.ts:%a %m-%d} at {window.ts:%H:%M} UTC; window from {window.start:%H:%M} to {window.end:%H:%M}."


def _shown(windows: pd.DataFrame) -> pd.DataFrame:
    """The day stands with each window's begin, and with its end where that is another one."""
    same = windows["start"].dt.date == windows["end"].dt.date
    end = windows["end"].dt.strftime("%H:%M").where(same, windows["end"].dt.strftime("%a %m-%d %H:%M"))
    times = {name: windows[name].dt.strftime("%a %m-%d %H:%M") for name in ("start", "ts")}
    return windows.assign(**times, end=end, state=[["now"] if now else ["ahead"] for now in windows["now"]])


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "state": config.MultiselectColumn("", width=54, options=["now", "ahead"], color=["yellow", "gray"]), "start": config.TextColumn("From", width=98), "end": config.TextColumn("To", width=48),
        "title": config.TextColumn("Release", width=150), "currency": config.TextColumn("Currency", width=62), "impact": config.TextColumn("Impact", width=58), "ts": config.TextColumn("Released", width=98),
    }  # fmt: skip
