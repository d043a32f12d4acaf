"""The processes of the system and their heartbeat."""

from __future__ import annotations

import streamlit as st

from app.kit.figures import ago, clock
from app.kit.text import literal
from app.kit.widgets import section
from worker.desk import Desk


def processes(desk: Desk) -> None:
    now = desk.jobs.now()
    section("Processes", "heartbeat")
    for process in desk.system.processes():
        doing = f" · {process.doing}" if process.doing else ""
        st.caption(literal(f"{process.kind} {process.host}:{process.pid} · {ago((now - process.seen_at).total_seconds())}, up since {clock(process.started_at)} UTC{doing}"))
