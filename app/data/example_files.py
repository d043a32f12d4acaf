"""Example files to download, and to import without a question."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.kit.widgets import download
from worker.desk import Desk


def example_files(desk: Desk) -> None:
    with st.popover("Example files", icon=":material/draft:", type="tertiary"):
        st.caption("Made by the program from a random walk. Each imports without a question.")
        for key, (name, title, use) in desk.data.example_files().items():
            download(title, name, "text/csv", partial(desk.data.download_example, key), f"example-{key}", f"For {use}.")
