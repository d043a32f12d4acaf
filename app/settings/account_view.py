"""One's own account: password, one-time codes, and where one is signed in."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from app.kit.text import literal
from app.kit.widgets import attempt, section
from app.settings.session_list import session_list
from worker.desk import Desk


def view(desk: Desk) -> None:
    me = desk.account.me()
    st.markdown(f"Signed in as **{literal(me.id)}**, with the role **{me.role}**")
    left, right = st.columns(2, gap="medium")
    with left:
        if me.password:
            _password(desk)
        else:
            st.caption("You sign in at the OpenID provider; password and codes are kept there.")
    with right:
        if me.password:
            _code(desk, me)
    section("Sessions", "browsers in which you are signed in")
    session_list(desk.account.sessions(), desk.actor.session, desk.account.end, desk.jobs.now())


def _password(desk: Desk) -> None:
    section("Password", "your other sessions end when it changes")
    with st.form("change-password", border=False, clear_on_submit=True):
        old = st.text_input("Password now", type="password", autocomplete="current-password")
        new = st.text_input("New password", type="password", autocomplete="new-password", help="10 letters or more; a sentence of several words is good.")
        if st.form_submit_button("Change password") and attempt(partial(_changed, desk, old, new)):
            st.success("The password is changed.", icon=":material/check:")


def _changed(desk: Desk, old: str, new: str) -> bool:
    desk.account.change_password(old, new)
    return True


def _code(desk: Desk, me: Any) -> None:
    section("One-time codes", "of an app on your phone, required when you sign in")
    st.caption("Needed when you sign in." if me.code else "Not needed when you sign in.")
    offered = st.session_state.get("offered-code")
    if offered is not None:
        return _confirm(desk, offered)
    with st.form("code", border=False, clear_on_submit=True):
        password = st.text_input("Password now", type="password", autocomplete="current-password", key="code-password")
        with st.container(horizontal=True):
            wanted = st.form_submit_button("New key" if me.code else "Set up")
            dropped = me.code and st.form_submit_button("Switch off")
    if dropped and attempt(partial(_dropped, desk, password)):
        st.rerun()
    if wanted and (key := attempt(partial(desk.account.offer_code, password))) is not None:
        st.session_state["offered-code"] = key
        st.rerun()


def _dropped(desk: Desk, password: str) -> bool:
    desk.account.drop_code(password)
    return True


def _confirm(desk: Desk, offered: Any) -> None:
    """The key, shown until a code of it is given."""
    st.markdown("Type this key into the app, as one that counts time, then give the code that it shows. The key is not shown again.")
    st.code(" ".join(offered.key[k : k + 4] for k in range(0, len(offered.key), 4)), language=None)
    with st.form("confirm-code", border=False, clear_on_submit=True):
        code = st.text_input("Code", max_chars=10, autocomplete="one-time-code")
        with st.container(horizontal=True):
            sent, left = st.form_submit_button("Confirm", type="primary"), st.form_submit_button("Cancel")
    if left or (sent and attempt(partial(_confirmed, desk, code))):
        del st.session_state["offered-code"]
        st.rerun()


def _confirmed(desk: Desk, code: str) -> bool:
    desk.account.confirm_code(code)
    return True
