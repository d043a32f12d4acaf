"""Settings: what is in force, where it comes from, and whether the house is well."""

from __future__ import annotations

import streamlit as st

from app.figures import ago, clock
from app.page import Page
from app.tables import pairs_frame, settings_frame
from app.text import literal
from app.widgets import head, section, table

PAGE = Page("Settings", "System", 10, "tune")
MARKS = {"well": ":green[:material/check_circle:]", "warning": ":orange[:material/warning:]", "failed": ":red[:material/error:]"}


def render(desk) -> None:
    health = desk.house.health()
    ill = [part for part in health if part.state == "failed"]
    head("Settings", f"{ill[0].part}: {ill[0].note}" if ill else "everything answers")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        settings(desk)
    with right:
        section("Health", "now")
        for part in health:
            st.markdown(f"{MARKS[part.state]} **{part.part}**: {literal(part.note)}")
        processes(desk)
        section("Versions")
        table(pairs_frame(desk.house.versions(), "Part", "Version"), {"Part": "Part", "Version": "Version"}, "Versions of the program and its packages", row_height=26)


def settings(desk) -> None:
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
    st.caption(literal(f"Workspace {desk.settings.home}. Actor in the audit trail: {desk.user}. {desk.house.listening()}"))


def processes(desk) -> None:
    now = desk.jobs.now()
    section("Processes", "signs of life")
    for one in desk.house.processes():
        doing = f" · {one.doing}" if one.doing else ""
        st.caption(literal(f"{one.kind} {one.host}:{one.pid} · {ago((now - one.seen_at).total_seconds())}, up since {clock(one.started_at)} UTC{doing}"))
