"""Tables of a finished run, cached as they never change."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from app.kit.widgets import download
from worker.desk import Desk


@st.cache_data(max_entries=96, show_spinner=False)
def read(_desk: Desk, table: str, run_id: str, *about: Any) -> Any:
    """A table of the run; ``table`` is the method of the desk that reads it."""
    return getattr(_desk.run_tables, table)(run_id, *about)


def headed(desk: Desk, run: Any, title: str, note: str, table: str = "") -> None:
    """A heading with its note; with ``table`` its download as CSV."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.subheader(title, anchor=False, width="content")
        st.caption(note, width="content")
        if table:
            st.space("stretch")
            download("CSV", f"{run.id}_{run.spec['strategy']}_{table}.csv", "text/csv", partial(desk.run_tables.download, run.id, table), f"take-{table}-{run.id}")
