"""What a page shows once its session has ended: a sentence, and the way to sign in."""

from __future__ import annotations

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

SIGN_IN = "/sign-in"


def signed_out() -> None:
    """Say it, and take the browser to the page for signing in."""
    st.error("You are signed out. Sign in again to go on.", icon=":material/logout:")
    st.markdown(f"[Sign in]({SIGN_IN})")
    to_sign_in()


def to_sign_in() -> None:
    """The browser goes there by itself, as after ``st.login``; a page cannot send it anywhere otherwise."""
    context = get_script_run_ctx()
    if context is not None:
        context.enqueue(_redirect())


def farewell() -> bytes:
    """The same as the message of a page's socket, for one whose session ended while nothing ran."""
    return _redirect().SerializeToString()


def _redirect() -> ForwardMsg:
    message = ForwardMsg()
    message.auth_redirect.url = SIGN_IN
    return message
