"""Features: what there is, what it gives on bars, and whether it knows the future."""

from __future__ import annotations

import streamlit as st

from app.features import catalogue, compute, look_ahead, ranking, regimes, similar
from app.kit.figures import plural
from app.kit.page import Page
from app.kit.widgets import go, head

PAGE = Page("Features", "Research", 20, "function")
VIEWS = {"catalogue": catalogue, "look": compute, "laboratory": ranking, "regimes": regimes, "similar": similar, "gate": look_ahead}
FIRST = "catalogue"


def render(desk) -> None:
    asked = st.query_params.get("view", FIRST)
    start = asked if asked in VIEWS else FIRST
    head("Features", f"{plural(len(desk.features.catalogue()), 'feature')}, each the same whether or not the bars after it have come")
    chosen = st.segmented_control("View", list(VIEWS), default=start, required=True, key=f"features-{start}", format_func=str.capitalize, label_visibility="collapsed")
    if chosen != start:
        go("features", **({} if chosen == FIRST else {"view": str(chosen)}))
    VIEWS[start].render(desk)
