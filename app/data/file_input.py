"""Step 1 of every import: an upload, or a file path on the server."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.spool import uploaded as uploaded_file
from app.kit.widgets import attempt, section
from worker.desk import Desk


def choose_file(desk: Desk, facet: Any, formats: str, example: str, key: str, title: str = "1  Choose a file", **how: bool) -> Any:
    """The staged file as the desk's ``facet`` (data or outside) recognised it, None before there is one; stored in the
    session as ``key``. ``how``: to stage it."""
    most = desk.settings.data.max_import_mb
    section(title, f"at most {most:,} MB, plain or compressed (.gz, .zip): {formats}")
    a, b = st.columns([1, 1], gap="medium")
    uploaded = a.file_uploader("Upload", label_visibility="collapsed", max_upload_size=most, key=f"{key}-upload")
    path, opened = _path(b, example, f"{key}-path") if facet.may_open_paths() else ("", False)
    if uploaded is not None and st.session_state.get(f"{key}-uploaded") != uploaded.file_id:
        st.session_state[f"{key}-uploaded"] = uploaded.file_id
        _keep(key, attempt(lambda: _staged(facet, uploaded, **how)))
    elif opened and path.strip():
        _keep(key, attempt(lambda: facet.stage_path(path.strip(), **how)))
    return st.session_state.get(key)


def choose_ask_file(desk: Desk, key: str, mapping: Any = None) -> Any:
    """The staged file with the ask prices of the same bars; None where there is none. ``mapping``: of the columns of the bids, where they have one."""
    most = desk.settings.data.max_import_mb
    with st.expander("Add the ask prices of the same bars", expanded=bool(st.session_state.get(key))):
        st.caption("If bid and ask prices are in two files, choose the file with the bids above and the one with the asks here: the spread is their mean difference.")
        a, b = st.columns([1, 1], gap="medium")
        uploaded = a.file_uploader("File with the ask prices", max_upload_size=most, key=f"{key}-upload")
        path, opened = _path(b, "/data/EURUSD_M1_ask.csv", f"{key}-path", "or the path of the ask prices") if desk.data.may_open_paths() else ("", False)
        if uploaded is not None and st.session_state.get(f"{key}-uploaded") != uploaded.file_id:
            st.session_state[f"{key}-uploaded"] = uploaded.file_id
            _keep(key, attempt(lambda: _like_the_bids(desk, _staged(desk.data, uploaded, unmapped=bool(mapping)), mapping)))
        elif opened and path.strip():
            _keep(key, attempt(lambda: _like_the_bids(desk, desk.data.stage_path(path.strip(), unmapped=bool(mapping)), mapping)))
        asks = st.session_state.get(key)
        if asks is not None:
            st.caption(f"{asks.name}: {asks.recognised.title}. {asks.recognised.evidence}")
    return asks


def _like_the_bids(desk: Desk, asks: Any, mapping: Any) -> Any:
    """The asks with the mapping of the bids, without its side."""
    return desk.mappings.apply(asks, {**mapping, "side": ""}) if mapping else asks


def _staged(facet: Any, file: Any, **how: bool) -> Any:
    with uploaded_file(file) as content:
        return facet.stage_upload(file.name, content, **how)


def _path(place: Any, example: str, key: str, label: str = "or a file path on the server") -> tuple[str, bool]:
    """A path on the server, and whether the file is to be loaded."""
    with place.form(key, border=False):
        path = st.text_input(label, placeholder=example, key=f"{key}-text", help="Of Dukascopy's ticks (.bi5) a folder too: SYMBOL/YYYY/MM/DD, months from 00.")
        return path, st.form_submit_button("Load", key=f"{key}-load")


def _keep(key: str, staged: Any) -> None:
    st.session_state[key] = staged
    st.query_params.pop("job", None)
