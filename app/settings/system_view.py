"""Configuration, health, vendors, processes and versions."""

from __future__ import annotations

import streamlit as st

from app.kit.tables import pairs_frame
from app.kit.text import literal
from app.kit.widgets import section, table
from app.settings.configuration import settings
from app.settings.processes import processes
from app.settings.vendors import vendors
from worker.desk import Desk

MARKS = {"well": ":green[:material/check_circle:]", "warning": ":orange[:material/warning:]", "failed": ":red[:material/error:]"}


def view(desk: Desk) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        settings(desk)
    with right:
        section("Health", "now")
        for part in desk.system.health():
            st.markdown(f"{MARKS[part.state]} **{part.part}**: {literal(part.note)}")
        vendors(desk)
        processes(desk)
        section("Versions")
        table(pairs_frame(desk.system.versions(), "Part", "Version"), {"Part": "Part", "Version": "Version"}, "Versions of the program and its packages", row_height=26)
