"""The desk of this process: one database, one set of settings, for every visitor. And that of the person who looks at the page."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import streamlit as st

from app.cookies import SESSION, cookie
from app.kit.carried import carried
from worker.desk import Desk, open_here

MOST = 500          # desks of people that are kept
_desks: OrderedDict[tuple[int, str, str], Desk] = OrderedDict()
_lock = Lock()


@st.cache_resource
def desk() -> Desk:
    opened = open_here()
    carried.carry(opened)
    return opened


def here() -> Desk | None:
    """The desk of the person who looks at this page, as their session and role are at this moment; None where they are signed out. Where nobody signs in, that of the process."""
    at = desk()
    if not at.settings.people.required:
        return at
    secret = cookie(st.context.cookies.to_dict(), SESSION)
    theirs = at.signed_in(secret)
    if theirs is None:
        return None
    key = (id(at), secret, theirs.actor.role)
    with _lock:         # the same one for each run of the page, as parts of it keep what they read
        kept = _desks.pop(key, theirs)
        _desks[key] = kept
        if len(_desks) > MOST:
            _desks.popitem(last=False)
    return kept
