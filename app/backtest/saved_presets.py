"""Presets of the whole form: chosen, saved, renamed and deleted by name."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, go
from worker.desk import BacktestRequest, Desk

NONE = "No preset"
NAME = "preset"         # query parameter


def chosen_preset(desk: Desk) -> Any:
    """The preset that the address names; a warning where there is none of that name."""
    name = address_value(NAME)
    preset = desk.form_presets.find(name) if name else None
    if name and preset is None:
        missing("preset", name, "Choose one below, or save one.")
    return preset


def presets_box(desk: Desk, preset: Any) -> None:
    """The list of presets, and what can be done with the chosen one. Nothing is drawn while there is none."""
    names = desk.form_presets.names()
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        options = [NONE, *names]
        chosen = st.selectbox("Saved preset", options, index=options.index(preset.name) if preset else 0, key=f"presets-{preset.name if preset else ''}-{len(names)}", width=260, help="All settings of this form but data and period, saved under a name.")
        if chosen != (preset.name if preset else NONE):
            _open("" if chosen == NONE else chosen)
        if preset and st.button("Rename…", icon=":material/label:", key="preset-rename", **allowed(desk, "form_presets.rename")):
            _rename(desk, preset.name)
        if preset and st.button("Delete…", icon=":material/delete:", type="tertiary", key="preset-delete", **allowed(desk, "form_presets.delete")):
            _delete(desk, preset.name)


def _open(name: str) -> None:
    """The form with that preset, on the data that the address names."""
    data = {"data": st.query_params.get_all("data")} if st.query_params.get_all("data") else {}
    go("backtest", **({NAME: name} if name else {}), **data)


@st.dialog("Save as preset")
def save(desk: Desk, request: BacktestRequest) -> None:
    """Ask for a name, and save the settings that were sent."""
    name = st.text_input("Name", address_value(NAME), max_chars=64, key="preset-name", help="A preset of that name is replaced.")
    if st.button("Save", type="primary", disabled=not name.strip()):
        preset = attempt(lambda: desk.form_presets.save(name, request))
        if preset:
            _open(preset.name)


@st.dialog("Rename preset")
def _rename(desk: Desk, name: str) -> None:
    new = st.text_input("Name", name, max_chars=64, key="preset-new-name")
    if st.button("Rename", type="primary", disabled=not new.strip()):
        preset = attempt(lambda: desk.form_presets.rename(name, new))
        if preset:
            _open(preset.name)


@st.dialog("Delete preset")
def _delete(desk: Desk, name: str) -> None:
    st.write(f"Delete the preset {literal(name)}? Runs that began with it keep their settings.")
    if st.button("Delete preset", type="primary"):
        attempt(lambda: desk.form_presets.delete(name))
        _open("")
