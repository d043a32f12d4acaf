"""Tokens with which programs use the API: made, shown once, revoked."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import ago, clock
from app.kit.text import literal
from app.kit.widgets import attempt, section, table
from worker.desk import Desk

COLUMNS = {"name": "Name", "role": "Role", "state": "State", "owner": "Owner", "used": "Last use", "expires": "Expires, UTC", "created": "Created, UTC", "id": "Id"}
SHOWN = "token-secret"


def view(desk: Desk) -> None:
    section("Tokens", "with which programs use the API; a token has a role, an end, and no more rights than its owner")
    _new(desk)
    _secret()
    rows = desk.tokens.all()
    if not rows:
        st.caption("There are no tokens yet.")
        return
    picked = table(tokens_frame(rows, desk.jobs.now()), COLUMNS, "Tokens of the API", key="tokens", pick=True)
    if picked is None or picked >= len(rows):
        st.caption("Choose a row to revoke its token.")
    elif rows[picked].state == "valid" and st.button(f"Revoke {literal(rows[picked].name)}", icon=":material/block:", key="revoke-token"):
        attempt(lambda: desk.tokens.revoke(rows[picked].id))
        st.rerun()


def _new(desk: Desk) -> None:
    with st.form("new-token", border=True, clear_on_submit=False):
        a, b, c, d = st.columns([3, 2, 1, 1], vertical_alignment="bottom")
        name = a.text_input("Program", max_chars=64, placeholder="notebook")
        role = b.selectbox("Role", desk.tokens.roles(), help="None with a right that you do not have.")
        days = c.number_input("Valid, days", 1, 366, 90, 1)
        sent = d.form_submit_button("Create", type="primary", width="stretch")
    if sent and (new := attempt(lambda: desk.tokens.create(name, role, int(days)))) is not None:
        st.session_state[SHOWN] = (new[0].name, new[1])


def _secret() -> None:
    """The secret of a new token: on this run of the page, and never again."""
    new = st.session_state.pop(SHOWN, None)
    if new is not None:
        st.success(f"The token of {literal(new[0])}. Copy it now: it is shown this once, and kept nowhere.", icon=":material/key:")
        st.code(new[1], language=None)


def tokens_frame(rows: list[Any], now: Any) -> pd.DataFrame:
    return pd.DataFrame([
        dict(name=each.name, role=each.role, state=each.state, owner=each.owner or each.created_by, used=ago((now - each.used_at).total_seconds()) if each.used_at else "never", expires=clock(each.expires_at), created=clock(each.created_at), id=each.id)
        for each in rows
    ])  # fmt: skip
