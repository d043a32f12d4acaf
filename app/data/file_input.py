"""Step 1 of every import: an upload, or a file path on the server."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.widgets import asked, section
from worker.desk import Desk


def take_in(desk: Desk, facet: Any, formats: str, example: str, key: str) -> Any:
    """The staged file as the desk's ``facet`` (data or outside) recognised it, None before there is one; kept in the session as ``key``."""
    most = desk.settings.data.max_import_mb
    section("1  Choose a file", f"at most {most:,} MB, plain or compressed (.gz, .zip): {formats}")
    a, b = st.columns([1, 1], gap="medium")
    uploaded = a.file_uploader("Upload", label_visibility="collapsed", max_upload_size=most, key=f"{key}-upload")
    path, opened = _path(b, example, f"{key}-path") if facet.may_open_paths() else ("", False)
    if uploaded is not None and st.session_state.get(f"{key}-uploaded") != uploaded.file_id:
        st.session_state[f"{key}-uploaded"] = uploaded.file_id
        _keep(key, asked(lambda: facet.stage_upload(uploaded.name, uploaded)))
    elif opened and path.strip():
        _keep(key, asked(lambda: facet.stage_path(path.strip())))
    return st.session_state.get(key)


def _path(place: Any, example: str, key: str) -> tuple[str, bool]:
    """A path on this machine, and whether it is to be opened."""
    with place.form(key, border=False):
        path = st.text_input("or a file path on the server", placeholder=example)
        return path, st.form_submit_button("Load")


def _keep(key: str, staged: Any) -> None:
    st.session_state[key] = staged
    st.query_params.pop("job", None)
