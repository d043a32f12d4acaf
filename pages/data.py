"""Data: prices and external data, their quality, and imports."""

from __future__ import annotations

import streamlit as st

from app.data.append_steps import append_steps
from app.data.dataset import catalogue, chosen_dataset
from app.data.download import download
from app.data.example_files import example_files
from app.data.external import external_view
from app.data.generate import generate
from app.data.import_steps import import_steps
from app.data.instruments import instruments_view
from app.kit.address import address_value, missing
from app.kit.altered import altered_datasets
from app.kit.figures import number, plural, size
from app.kit.page import Page
from app.kit.rights import allowed
from app.kit.widgets import go, head, nothing

PAGE = Page("Data", "Research", 10, "database")
VIEWS = {"prices": "Prices", "external": "External data", "instruments": "Instruments"}
ALIASES = {"bars": "prices", "outside": "external"}     # views by their earlier names


def render(desk) -> None:
    wanted, doing = address_value("view") or "prices", address_value("do")
    view = ALIASES.get(wanted, wanted)
    if view == "external":
        return external_view(desk, doing, lambda: switch("external"))
    if view == "instruments":
        return instruments_view(desk, doing, lambda: switch("instruments"))
    datasets = desk.data.catalogue()
    state = f"{plural(len(datasets), 'dataset')}, {number(sum(entry.bars for entry in datasets))} bars, {size(sum(entry.bytes for entry in datasets))}" if datasets else ""
    head("Data", state, lambda: actions(desk, doing))
    switch("prices")
    if view not in VIEWS:
        missing("view", wanted, "Choose one above.")
    if doing == "import":
        import_steps(desk)
    elif doing == "append":
        append_steps(desk)
    elif doing == "download":
        download(desk)
    elif doing == "generate":
        generate(desk)
    if doing:
        return
    altered_datasets(desk)
    if not datasets:
        return nothing("No data yet", "Download prices from a vendor, import a file of them, or generate synthetic ones.", lambda: actions(desk, doing, "empty"))
    dataset = catalogue(desk, datasets)
    if dataset is not None:
        chosen_dataset(desk, dataset)


def switch(view: str) -> None:
    """Draw the control that switches between prices and external data."""
    chosen = st.segmented_control("View", list(VIEWS), default=view, required=True, key=f"data-{view}", format_func=VIEWS.__getitem__, label_visibility="collapsed")
    if chosen != view:
        go("data", **({} if chosen == "prices" else {"view": str(chosen)}))


def actions(desk, doing: str, key: str = "head") -> None:
    if st.button("Generate…", icon=":material/auto_awesome:", key=f"{key}-generate", **allowed(desk, "data.generate", disabled=doing == "generate")):
        go("data", do="generate")
    if st.button("Download…", icon=":material/cloud_download:", key=f"{key}-download", **allowed(desk, "downloads.submit", disabled=doing == "download")):
        go("data", do="download")
    if st.button("Import…", icon=":material/upload:", type="secondary" if doing else "primary", key=f"{key}-import", **allowed(desk, "data.import_", disabled=doing == "import")):
        go("data", do="import")
    if key == "empty":
        example_files(desk)
    if doing and key == "head" and st.button("Close", icon=":material/close:", type="tertiary"):
        go("data")
