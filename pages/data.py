"""Data: what bars and what outside data there are, how good they are, and bringing in more."""

from __future__ import annotations

import streamlit as st

from app.data.dataset import catalogue, chosen_dataset
from app.data.external import outside_view
from app.data.generate import generate
from app.data.import_steps import import_steps
from app.kit.figures import number, plural, size
from app.kit.page import Page
from app.kit.widgets import go, head, nothing

PAGE = Page("Data", "Research", 10, "database")
VIEWS = {"bars": "Bars", "outside": "Outside"}


def render(desk) -> None:
    view, doing = st.query_params.get("view", "bars"), st.query_params.get("do", "")
    if view == "outside":
        return outside_view(desk, doing, lambda: switch("outside"))
    datasets = desk.data.catalogue()
    state = f"{plural(len(datasets), 'dataset')}, {number(sum(one.bars for one in datasets))} bars, {size(sum(one.bytes for one in datasets))}" if datasets else ""
    head("Data", state, lambda: actions(doing))
    switch("bars")
    if doing == "import":
        import_steps(desk)
    elif doing == "generate":
        generate(desk)
    if doing:
        return
    if not datasets:
        return nothing("No bars yet", "Bring a file of bars, or make synthetic ones to try things on.", lambda: actions(doing, "empty"))
    one = catalogue(desk, datasets)
    if one is not None:
        chosen_dataset(desk, one)


def switch(view: str) -> None:
    """Bars, or what stands beside them."""
    chosen = st.segmented_control("View", list(VIEWS), default=view, required=True, key=f"data-{view}", format_func=VIEWS.__getitem__, label_visibility="collapsed")
    if chosen != view:
        go("data", **({} if chosen == "bars" else {"view": str(chosen)}))


def actions(doing: str, key: str = "head") -> None:
    if st.button("Generate…", icon=":material/auto_awesome:", key=f"{key}-generate", disabled=doing == "generate"):
        go("data", do="generate")
    if st.button("Import…", icon=":material/upload:", type="secondary" if doing else "primary", key=f"{key}-import", disabled=doing == "import"):
        go("data", do="import")
    if doing and key == "head" and st.button("Close", icon=":material/close:", type="tertiary"):
        go("data")
