"""Settings: configuration and its source, health, one's account, tokens, requests to a second person, people and roles."""

from __future__ import annotations

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.page import Page
from app.kit.widgets import go, head
from app.settings import account_view, approvals_view, people_view, system_view, tokens_view

PAGE = Page("Settings", "System", 10, "tune")
VIEWS = {
    "system": ("System", system_view), "account": ("Account", account_view), "tokens": ("Tokens", tokens_view),
    "requests": ("Requests", approvals_view), "people": ("People", people_view),
}  # fmt: skip
FIRST = "system"


def render(desk) -> None:
    views = {name: view for name, view in VIEWS.items() if name != "account" or desk.account.me().signed_in}
    wanted = address_value("view") or FIRST
    start = wanted if wanted in views else FIRST
    failed = [part for part in desk.system.health() if part.state == "failed"]
    head("Settings", f"{failed[0].part}: {failed[0].note}" if failed else "All services healthy")
    if wanted not in views:
        missing("view", wanted, "Choose one below.")
    chosen = st.segmented_control("View", list(views), default=start, required=True, key=f"settings-{start}", format_func=lambda name: views[name][0], label_visibility="collapsed")
    if chosen != start:
        go("settings", **({} if chosen == FIRST else {"view": str(chosen)}))
    views[start][1].view(desk)
