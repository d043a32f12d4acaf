"""Changes that wait for a second person, and those that were decided."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import clock
from app.kit.text import literal
from app.kit.widgets import attempt, section, table
from worker.desk import Desk

COLUMNS = {"state": "State", "summary": "Change", "requested_by": "Requested by", "requested_at": "Requested, UTC", "decided_by": "Decided by", "decided_at": "Decided, UTC", "note": "Note", "id": "Id"}


def view(desk: Desk) -> None:
    section("Requests", "releasing a halt, rule sets and models in production need a second person" if desk.settings.people.second else "no change needs a second person here: [people] two_persons is off, or nobody signs in")
    waiting = desk.approvals.pending()
    for request in waiting:
        _waiting(desk, request)
    if not waiting:
        st.caption("Nothing waits.")
    if rows := [each for each in desk.approvals.all() if each.state != "pending"]:
        section("Decided")
        table(approvals_frame(rows), COLUMNS, "Requests that were decided or expired", height=min(420, 60 + 28 * len(rows)))


def _waiting(desk: Desk, request: Any) -> None:
    refused = desk.approvals.refused(request)
    with st.container(border=True):
        st.markdown(f"**{literal(request.summary)}**")
        st.caption(literal(f"Request {request.id} of {request.requested_by}, {clock(request.requested_at)} UTC; it expires {clock(request.expires_at)} UTC"))
        content = request.arguments.get("content")
        if isinstance(content, str):
            with st.expander("The rule set as it would be"):
                st.code(content, language="toml")
        note = st.text_input("Note", key=f"note-{request.id}", max_chars=500, placeholder="optional", disabled=bool(refused))
        with st.container(horizontal=True):
            if st.button("Approve", type="primary", icon=":material/check:", key=f"approve-{request.id}", disabled=bool(refused), help=f"This {refused}." if refused else None):
                _decide(lambda: desk.approvals.approve(request.id, note))
            if st.button("Refuse", icon=":material/close:", key=f"refuse-{request.id}", disabled=bool(refused), help=f"This {refused}." if refused else None):
                _decide(lambda: desk.approvals.refuse(request.id, note))
            if request.person == desk.actor.behind and st.button("Withdraw", icon=":material/undo:", key=f"withdraw-{request.id}"):
                _decide(lambda: desk.approvals.withdraw(request.id))


def _decide(act: Any) -> None:
    if attempt(act) is not None:
        st.rerun()


def approvals_frame(rows: list[Any]) -> pd.DataFrame:
    return pd.DataFrame([
        dict(state=each.state, summary=each.summary, requested_by=each.requested_by, requested_at=clock(each.requested_at), decided_by=each.decided_by, decided_at=clock(each.decided_at) if each.decided_at else "", note=each.note, id=each.id)
        for each in rows
    ])  # fmt: skip
