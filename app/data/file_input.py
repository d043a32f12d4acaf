"""Step 1 of every import: an upload, or a file of this machine."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.widgets import asked, section
from worker.desk import Desk


def take_in(desk: Desk, door: Any, formats: str, example: str, key: str) -> Any:
    """What the desk's ``door`` (data or outside) made of the file, None before there is one; kept in the session as ``key``."""
    most = desk.settings.data.max_import_mb
    section("1  Bring a file", f"at most {most:,} MB, packed (.gz, .zip) or not: {formats}")
    a, b = st.columns([1, 1], gap="medium")
    uploaded = a.file_uploader("Upload", label_visibility="collapsed", max_upload_size=most, key=f"{key}-upload")
    with b.form(f"{key}-path", border=False):
        path = st.text_input("or a path on this machine", placeholder=example)
        opened = st.form_submit_button("Open")
    if uploaded is not None and st.session_state.get(f"{key}-uploaded") != uploaded.file_id:
        st.session_state[f"{key}-uploaded"] = uploaded.file_id
        _keep(key, asked(lambda: door.stage_upload(uploaded.name, uploaded.getvalue())))
    elif opened and path.strip():
        _keep(key, asked(lambda: door.stage_path(path.strip())))
    return st.session_state.get(key)


def _keep(key: str, staged: Any) -> None:
    st.session_state[key] = staged
    st.query_params.pop("job", None)
