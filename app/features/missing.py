"""Missing external data that features need: shown where features are chosen, and where they are empty."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st

from app.kit.figures import plural
from app.kit.widgets import go
from worker.desk import Desk, FeatureRequest

SHOWN = 6       # names in a sentence


def lacking(desk: Desk, feature_request: FeatureRequest, key: str) -> None:
    """Before a request: draw which features will be empty and why, and a button to import the data."""
    lacks = desk.features.lacks(feature_request)
    absent, outdated = [lack for lack in lacks if not lack.why], [lack for lack in lacks if lack.why]
    if not lacks:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if absent:
            empty = list(dict.fromkeys(column for lack in absent for column in lack.columns))
            st.caption(f":material/info: {plural(len(empty), 'feature')} will be empty: missing {_listed([_name(lack) for lack in absent])}.", width="content")
        if outdated:
            st.caption(f":material/info: {' '.join(f'{lack.name}: {lack.why}{_stays(lack)}.' for lack in outdated[:SHOWN])}", width="content")
        if st.button("Import missing data", icon=":material/upload:", type="tertiary", key=f"{key}-lacking"):
            go("data", view="external", do="import")


def _stays(lack: Any) -> str:
    return "; the last value is carried forward" if lack.kind != "releases" and lack.why.startswith("there to") else ""


def without(desk: Desk, run: Any, empty: Collection[str]) -> None:
    """After a run: draw which of its ``empty`` columns lacked external data when it was computed."""
    lacked = {column: titles for column, titles in desk.features.lacked(run.id).items() if column in empty}
    if not lacked:
        return
    names = list(dict.fromkeys(_plain(title) for titles in lacked.values() for title in titles))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":material/info: {_listed(list(lacked))} {'is' if len(lacked) == 1 else 'are'} empty: computed without {_listed(names)}.", width="content")
        if st.button("Import missing data", icon=":material/upload:", type="tertiary", key=f"without-{run.id}"):
            go("data", view="external", do="import")


def why_empty(desk: Desk, run: Any, column: str) -> str:
    """Why a column is empty; "" where external data is not the reason."""
    titles = desk.features.lacked(run.id).get(column, [])
    return f"It was computed without {_listed([_plain(title) for title in titles])}." if titles else ""


def _name(lack: Any) -> str:
    return lack.name if lack.kind == "series" else _plain(lack.title)


def _plain(title: str) -> str:
    """
    >>> _plain("A calendar of releases"), _plain("Headlines"), _plain("VIX (Implied volatility)")
    ('calendar of releases', 'headlines', 'VIX')
    """
    return title.partition(" (")[0] if "(" in title else title.removeprefix("A ").lower()


def _listed(names: list[str]) -> str:
    """
    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    shown = names if len(names) <= SHOWN else [*names[: SHOWN - 1], f"{len(names) - SHOWN + 1:,} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
