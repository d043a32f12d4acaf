"""Settings: configuration and its source, health, vendors, processes, versions."""

from __future__ import annotations

import streamlit as st

from app.kit.page import Page
from app.kit.tables import pairs_frame
from app.kit.text import literal
from app.kit.widgets import head, section, table
from app.settings.configuration import settings
from app.settings.processes import processes
from app.settings.vendors import vendors

PAGE = Page("Settings", "System", 10, "tune")
MARKS = {"well": ":green[:material/check_circle:]", "warning": ":orange[:material/warning:]", "failed": ":red[:material/error:]"}


def render(desk) -> None:
    health = desk.system.health()
    failed = [part for part in health if part.state == "failed"]
    head("Settings", f"{failed[0].part}: {failed[0].note}" if failed else "All services healthy")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        settings(desk)
    with right:
        section("Health", "now")
        for part in health:
            st.markdown(f"{MARKS[part.state]} **{part.part}**: {literal(part.note)}")
        vendors(desk)
        processes(desk)
        section("Versions")
        table(pairs_frame(desk.system.versions(), "Part", "Version"), {"Part": "Part", "Version": "Version"}, "Versions of the program and its packages", row_height=26)
