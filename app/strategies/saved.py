"""The saved strategies, and the versions of the chosen one."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import clock, plural, short, typeset
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, download, go, nothing, section, table
from worker.desk import Desk

WIDTHS = dict(version=62, type=110, timeframe=84, pairs=130, at=124, by=70, why=190, digest=80)
TITLES = dict(name="Name", version="Version", type="Type", timeframe="Timeframe", pairs="Pairs", at="Saved", by="User", why="Reason", digest="SHA-256")


def library(desk: Desk) -> None:
    """All of them; a chosen row opens in the form."""
    saved = desk.strategies.all()
    if not saved:
        return nothing("No strategy of yours yet", "Write a condition above, preview it on your bars, and save it. Saved strategies are chosen by their name wherever a strategy is.")
    section("Library", f"{plural(len(saved), 'strategy', 'strategies')}, newest versions, UTC; select one to open it")
    row = table(pd.DataFrame([_row(each) for each in saved]), _columns("name", "version", "type", "timeframe", "pairs", "at", "by", "why"), "Saved strategies", key="library", pick=True)
    if row is not None and st.query_params.get("strategy") != saved[row].title:
        go("strategies", strategy=saved[row].title)


def versions(desk: Desk, opened: Any) -> None:
    """Every version of the opened strategy, its file, and its retirement."""
    name = opened.stored.name
    every = desk.strategies.versions(name)
    section("Versions", f"of {name}, newest first, UTC; none is changed or removed")
    row = table(pd.DataFrame([_row(each) for each in every]), _columns("version", "at", "by", "why", "digest"), f"Versions of {name}", key=f"versions-{name}", pick=True)
    if row is not None and every[row].title != opened.title:
        go("strategies", strategy=every[row].title)
    with st.container(horizontal=True, vertical_alignment="center"):
        download("Strategy JSON", f"{name}@{opened.stored.version}.json", "application/json", partial(desk.strategies.download, name, opened.stored.version), f"json-{opened.title}", "As --strategy-file takes it.")
        if not every[0].stored.retired and st.button("Retire…", icon=":material/archive:", type="tertiary", **allowed(desk, "strategies.retire")):
            _retire(desk, name)


@st.dialog("Retire strategy")
def _retire(desk: Desk, name: str) -> None:
    st.markdown(f"**{literal(name)}** leaves the lists. Its versions and the runs of it stay.")
    why = st.text_input("Reason", key=f"retire-{name}")
    if st.button("Retire strategy", type="primary", **allowed(desk, "strategies.retire", disabled=not why.strip())) and attempt(lambda: desk.strategies.retire(name, why)) is not None:
        go("strategies")


def _row(saved: Any) -> dict[str, Any]:
    stored, definition = saved.stored, saved.definition
    why = f"retired: {stored.why}" if stored.retired else stored.why
    return dict(name=stored.name, version=stored.version, type=definition.type or "—", timeframe=definition.timeframe or "any", pairs=", ".join(definition.pairs) or "any", at=clock(stored.created_at), by=stored.actor, why=typeset(why), digest=short(stored.digest))


def _columns(*names: str) -> dict[str, Any]:
    return {name: st.column_config.Column(TITLES[name], width=WIDTHS.get(name, 150)) for name in names}
