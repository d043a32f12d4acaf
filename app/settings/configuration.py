"""Every setting with its value and its source."""

from __future__ import annotations

import streamlit as st

from app.kit.tables import settings_frame
from app.kit.widgets import section, table
from worker.desk import Desk


def settings(desk: Desk) -> None:
    section("In force", "changed ones first; set them in config.toml or the environment, then start again")
    config = st.column_config
    columns = {
        "setting": config.TextColumn("Setting", width=158),
        "value": config.TextColumn("Value", width=130),
        "unit": config.TextColumn("Unit", width=92),
        "origin": config.TextColumn("Comes from", width=150),
        "help": config.TextColumn("What it does", width=300),
    }
    table(settings_frame(desk.house.settings()), columns, "Every setting with its value and where it comes from", row_height=26, height=620)
    st.caption(f"Workspace {desk.settings.home}. Actor in the audit trail: {desk.user}.")
