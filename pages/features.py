"""Features: the catalogue, values on data, ranking, regimes, similar periods, look-ahead checks."""

from __future__ import annotations

import streamlit as st

from app.features import catalogue, compute, look_ahead, ranking, regimes, similar
from app.kit.address import address_value, missing
from app.kit.figures import plural
from app.kit.page import Page
from app.kit.widgets import go, head

PAGE = Page("Features", "Research", 20, "function")
VIEWS = {
    "catalogue": ("Catalogue", catalogue), "compute": ("Compute", compute), "ranking": ("Feature ranking", ranking), "regimes": ("Regimes", regimes),
    "similar": ("Similar periods", similar), "look-ahead": ("Look-ahead check", look_ahead),
}  # fmt: skip
ALIASES = {"look": "compute", "laboratory": "ranking", "gate": "look-ahead"}      # views by their earlier names
FIRST = "catalogue"


def render(desk) -> None:
    wanted = address_value("view") or _view_of(desk, address_value("run"))
    view = ALIASES.get(wanted, wanted)
    start = view if view in VIEWS else FIRST
    head("Features", f"{plural(len(desk.features.catalogue()), 'feature')}, all causal (no look-ahead)")
    chosen = st.segmented_control("View", list(VIEWS), default=start, required=True, key=f"features-{start}", format_func=lambda name: VIEWS[name][0], label_visibility="collapsed")
    if chosen != start:
        go("features", **({} if chosen == FIRST else {"view": str(chosen)}))
    if view not in VIEWS:
        missing("view", wanted, "Choose one above.")
    for name in ("run", "job") if start == FIRST else ():
        if address_value(name):
            missing(name, address_value(name), "Choose a view above, and a run in it.")
    VIEWS[start][1].render(desk)


def _view_of(desk, run: str) -> str:
    """The view of the run that an address without a view names."""
    kinds = {module.KIND: name for name, (_, module) in VIEWS.items() if module is not catalogue}
    return next((name for kind, name in kinds.items() if run and any(each.id == run for each in desk.features.latest(kind))), FIRST)
