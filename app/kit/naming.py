"""The dialog that names a run of any kind."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.rights import allowed
from worker.desk import Desk


@st.dialog("Name this run")
def name_run(desk: Desk, run: Any) -> None:
    with st.form("name", border=False):
        name = st.text_input("Name", run.name, max_chars=120)
        note = st.text_area("Note", run.note, max_chars=2_000)
        if st.form_submit_button("Save", type="primary", **allowed(desk, "backtests.rename")):
            desk.backtests.rename(run.id, name, note)
            st.rerun()
