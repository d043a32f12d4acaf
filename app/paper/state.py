"""What the state of a session means for a person, and its alarms: first on the page, and first on a narrow one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.figures import ago, plural, typeset
from app.kit.text import literal

OLD = 30.0          # seconds, after which a price is old
BADGES: dict[str, Any] = {"running": "green", "paused": "orange", "halted": "red", "error": "red", "differs": "red", "away": "orange", "waiting": "blue", "ready": "blue"}
WAITING = {
    "ready": "Waiting for a worker to take the session up.", "replay": "The stored bars are being read; right after an installation the engine is compiled first.",
    "waiting": "Waiting for prices: nothing is decided until the feed gives some.",
}  # fmt: skip


def badge(row: Any) -> None:
    st.badge(row.word, color="orange" if row.state == "running" and row.proposals else BADGES.get(row.state, "gray"))


def boxes(row: Any) -> None:
    """One box for the state, where it needs one, and one for the alarms."""
    reason = typeset(row.reason) if row.reason else ""
    if row.state == "error":
        st.error(literal(reason or "The session failed."), title="Stopped by an error", icon=":material/error:")
    elif row.state == "halted":
        st.error(literal(f"Halted. {reason or 'No order is sent until a person releases the kill switch.'}"), icon=":material/front_hand:")
    elif row.state == "differs":
        st.error("The broker has other positions than this session. No entries until a person adopts what is there, or closes it.", icon=":material/error:")
    elif row.state == "away":
        st.warning(literal(f"No order is sent until the broker answers; stops and targets stand there. {reason}"), icon=":material/cloud_off:")
    elif row.state in ("waiting", "ready"):
        st.info(WAITING["replay" if row.state == "waiting" and row.source == "replay" else row.state], icon=":material/hourglass_empty:")
    elif row.state == "paused":
        st.warning("Paused: no entries. Stops, targets and exits go on.", icon=":material/pause:")
    elif _is_old(row):
        st.warning(f"The newest price is {ago(row.price_age)[:-4]} old. New orders wait until it is fresh.", icon=":material/warning:")
    _alarms(row)


def _alarms(row: Any) -> None:
    if row.alarms and not row.over:
        lines = "\n".join(f"- {literal(typeset(alarm))}" for alarm in row.alarms)
        st.error(lines, title=f"{plural(len(row.alarms), 'alarm')}", icon=":material/error:")


def _is_old(row: Any) -> bool:
    return row.price_age is not None and row.price_age > OLD and row.source != "replay" and not row.over
