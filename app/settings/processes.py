"""The processes of the system and their heartbeat."""

from __future__ import annotations

import streamlit as st

from app.kit.figures import ago, clock
from app.kit.widgets import section
from worker.desk import Desk


def processes(desk: Desk) -> None:
    now = desk.jobs.now()
    section("Processes", "signs of life")
    for one in desk.house.processes():
        doing = f" · {one.doing}" if one.doing else ""
        st.caption(f"{one.kind} {one.host}:{one.pid} · {ago((now - one.seen_at).total_seconds())}, up since {clock(one.started_at)} UTC{doing}")
