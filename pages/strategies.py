"""Strategies: conditions that users write, read in plain words, previewed on bars, and saved with versions."""

from __future__ import annotations

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.page import Page
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, go, head
from app.strategies.form import form
from app.strategies.preview import preview
from app.strategies.saved import library, versions

PAGE = Page("Strategies", "Research", 30, "edit_note")


def render(desk) -> None:
    name = address_value("strategy")
    opened = desk.strategies.find(name) if name else None
    head("Strategies", opened.about if opened else "written by conditions, no code", _new if opened else None)
    if name and opened is None:
        missing("strategy", name, "Choose one below.")
    start = dict(name=opened.definition.name, type=opened.definition.type, timeframe=opened.definition.timeframe, pairs=opened.definition.pairs, **{key: value for key, value in opened.definition.params.items() if key != "name"}) if opened else {}
    values = form(desk, f"written-{opened.title if opened else 'new'}", start)
    fault = desk.strategies.fault(values) if values["name"].strip() and (values["long"].strip() or values["short"].strip()) else "Give it a name and a condition of entry."
    _actions(desk, values, fault, opened)
    preview(desk)
    if opened:
        versions(desk, opened)
    library(desk)


def _new() -> None:
    if st.button("New strategy", icon=":material/add:", type="tertiary"):
        go("strategies")


def _actions(desk, values: dict, fault: str, opened) -> None:
    """Preview on a dataset, save with a reason; what is in the way stands beside the buttons."""
    datasets = desk.data.catalogue()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = st.selectbox("Preview on", datasets, key="preview-data", format_func=lambda each: f"{each.instrument} {each.timeframe}{' · synthetic' if each.synthetic else ''}", width=260, placeholder="no data yet")
        shown = st.button("Preview", icon=":material/visibility:", **allowed(desk, "strategies.submit_preview", disabled=bool(fault) or dataset is None))
        why = st.text_input("Why it is saved", key=f"why-{opened.title if opened else 'new'}", width=260, placeholder="first version")
        saved = st.button("Save strategy", type="primary", **allowed(desk, "strategies.save", disabled=bool(fault)))
    if fault:
        st.caption(literal(fault))
    if shown and (submitted := attempt(lambda: desk.strategies.submit_preview(values, dataset.id))):
        go("strategies", **({"strategy": opened.title} if opened else {}), job=submitted.job.id)
    if saved and (version := attempt(lambda: desk.strategies.save(values, why or "first version"))):
        go("strategies", strategy=version.title)
