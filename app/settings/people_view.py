"""People who may sign in, what each role may do, and who is signed in where."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import clock
from app.kit.text import literal
from app.kit.widgets import attempt, section, table
from app.settings.roles import roles
from app.settings.session_list import session_list
from worker.desk import Desk

COLUMNS = {"id": "Name", "role": "Role", "state": "State", "signs_in": "Signs in by", "code": "Code", "sessions": "Sessions", "email": "E-mail", "added": "Added, UTC", "by": "By"}
OFF = "Nobody signs in: this page is for this machine only. [people] sign_in in config.toml, or TIDEMARK_PEOPLE_SIGN_IN=local, switches it on at the next start."


def view(desk: Desk) -> None:
    if not desk.settings.people.required:
        st.caption(literal(OFF))
    refused = desk.why_not("users.all")
    if refused:
        st.caption(f"The list of users {refused}.")
    else:
        _users(desk)
        section("Sessions", "who is signed in where")
        session_list(desk.users.sessions(), desk.actor.session, desk.users.revoke, desk.jobs.now())
    roles(desk)


def _users(desk: Desk) -> None:
    section("Users", "never deleted, as the audit trail names them: disabled")
    rows = desk.users.all()
    picked = table(users_frame(rows), COLUMNS, "Users", key="users", pick=True) if rows else None
    if not rows:
        st.caption("There are no users yet.")
    if picked is not None and picked < len(rows):
        _change(desk, rows[picked])
    _add(desk)


def _change(desk: Desk, user: Any) -> None:
    """What can be done to one user."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            names = list(desk.users.roles())
            role = st.selectbox(f"Role of {literal(user.id)}", names, names.index(user.role), key=f"role-{user.id}", width=160)
            _act(f"Give the role {role}", f"give-{user.id}", partial(desk.users.role, user.id, role), role == user.role)
            if user.state == "active":
                _act("Disable", f"disable-{user.id}", partial(desk.users.disable, user.id))
            else:
                _act("Enable", f"enable-{user.id}", partial(desk.users.enable, user.id))
            _act("Reset code", f"reset-{user.id}", partial(desk.users.reset_code, user.id), not user.code, "For a lost phone: signing in needs no code, until the user sets up a new one.")
            _act("End all sessions", f"end-{user.id}", partial(desk.users.revoke_all, user.id), not user.sessions)
        with st.form(f"password-{user.id}", border=False, clear_on_submit=True):
            new = st.text_input("New password", type="password", autocomplete="new-password", width=320)
            if st.form_submit_button("Set password") and attempt(partial(desk.users.set_password, user.id, new)) is not None:
                st.success("The password is set, and the user's sessions have ended.", icon=":material/check:")


def _act(label: str, key: str, act: Any, disabled: bool = False, about: str = "") -> None:
    if st.button(label, key=key, disabled=disabled, help=about or None) and attempt(act) is not None:
        st.rerun()


def _add(desk: Desk) -> None:
    with st.expander("Add a user", icon=":material/person_add:"), st.form("add-user", border=False, clear_on_submit=False):
        a, b = st.columns(2)
        name = a.text_input("Name", max_chars=32, help="Small letters, digits, points, hyphens; shown in the audit trail.")
        role = b.selectbox("Role", list(desk.users.roles()))
        word = a.text_input("Password", type="password", autocomplete="new-password", help="10 letters or more. Left out for one who signs in at the OpenID provider only.")
        email = b.text_input("E-mail", max_chars=254, help="Of the account at the OpenID provider, where people sign in there.")
        if st.form_submit_button("Add user", type="primary") and attempt(lambda: desk.users.add(name, role, word, email)) is not None:
            st.rerun()


def users_frame(rows: list[Any]) -> pd.DataFrame:
    return pd.DataFrame([
        dict(id=each.id, role=each.role, state=each.state, signs_in=each.signs_in, code="on" if each.code else "off", sessions=each.sessions, email=each.email, added=clock(each.created_at), by=each.created_by)
        for each in rows
    ])  # fmt: skip
