"""Browsers in which people are signed in, each with the button that ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import ago, clock
from app.kit.widgets import attempt, table

COLUMNS = {"user": "User", "seen": "Last seen", "address": "Address", "browser": "Browser", "how": "How", "since": "Since, UTC", "until": "Until, UTC"}


def session_list(rows: Sequence[Any], own: str, end: Callable[[str], None], now: datetime) -> None:
    """``own``: the session of this page."""
    if not rows:
        st.caption("Nobody is signed in.")
        return
    picked = table(sessions_frame(rows, own, now), COLUMNS, "Open sessions", key="sessions", pick=True)
    if picked is None:
        st.caption("Choose a row to end its session; its open pages are refused at once.")
    elif picked < len(rows) and st.button("End this session", icon=":material/logout:", key="end-session"):
        attempt(lambda: end(rows[picked].id))
        st.rerun()


def sessions_frame(rows: Sequence[Any], own: str, now: datetime) -> pd.DataFrame:
    return pd.DataFrame([
        dict(user=each.user, seen="this page" if each.id == own else ago((now - each.seen_at).total_seconds()), address=each.address, browser=browser_of(each.agent), how=each.how, since=clock(each.created_at), until=clock(each.expires_at))
        for each in rows
    ])  # fmt: skip


def browser_of(agent: str) -> str:
    """What a browser calls itself, in two words.

    >>> browser_of("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"), browser_of("curl/8"), browser_of("")
    ('Chrome on Linux', 'curl/8', 'unknown')
    """
    name = next((name for mark, name in (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")) if mark in agent), "")
    system = next((name for mark, name in (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux")) if mark in agent), "")
    return f"{name} on {system}" if name and system else agent[:40] or "unknown"
