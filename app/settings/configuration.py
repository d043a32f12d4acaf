"""Every setting with its value and its source."""

from __future__ import annotations

import streamlit as st

from app.kit.tables import settings_frame
from app.kit.text import literal
from app.kit.widgets import section, table
from worker.desk import Desk


def settings(desk: Desk) -> None:
    section("Configuration", "overrides first; edit config.toml or environment variables, then restart")
    config = st.column_config
    columns = {
        "setting": config.TextColumn("Setting", width=158),
        "value": config.TextColumn("Value", width=96),
        "help": config.TextColumn("Description", width=300),
        "unit": config.TextColumn("Unit", width=92),
        "origin": config.TextColumn("Source", width=190),
    }
    table(settings_frame(desk.system.settings()), columns, "Every setting with its value, source and description", row_height=26, height=620)
    st.caption(literal(f"Workspace: {desk.settings.home}. User in the audit trail: {desk.user}. {desk.system.listening()}"))
