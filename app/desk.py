"""The desk of this process: one database, one set of settings, for every visitor."""

from __future__ import annotations

import streamlit as st

from worker.desk import Desk, open_here


@st.cache_resource
def desk() -> Desk:
    return open_here()
