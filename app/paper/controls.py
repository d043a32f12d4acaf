"""The commands of a session: pause, close, order, parameters, stop; each is on its tape and in the audit trail."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from app.kit.forms import fields
from app.kit.text import literal
from app.paper.acting import act
from app.paper.halts import emergency
from worker.desk import Desk

MORE = ("order", "close", "set", "enable", "disable", "blackout")      # with arguments, in a dialog


def controls(desk: Desk, view: Any) -> None:
    """Buttons of what may be done now; what may not is disabled, and says why."""
    row = view.row
    if row.state == "error":
        if st.button("Resume", type="primary", icon=":material/replay:", key="resume", disabled=bool(desk.paper.refused("pause"))):
            act(partial(desk.paper.resume, row.name))
        return
    verbs = desk.paper.verbs(row)
    _plain(desk, row, verbs["continue" if row.state == "paused" else "pause"], ":material/play_arrow:" if row.state == "paused" else ":material/pause:")
    with st.popover("Commands", icon=":material/tune:", disabled=row.over):
        for name in MORE:
            verb = verbs[name]
            if st.button(f"{verb.title}…", key=f"verb-{name}", disabled=bool(verb.refused), help=verb.refused or verb.help, type="tertiary"):
                _with_arguments(desk, row, verb)
    _close(desk, view, verbs)
    emergency(desk, row.name)


def _plain(desk: Desk, row: Any, verb: Any, icon: str) -> None:
    if st.button(verb.title, icon=icon, key=f"verb-{verb.name}", disabled=bool(verb.refused), help=verb.refused or verb.help):
        _send(desk, row.name, verb)


def _send(desk: Desk, name: str, verb: Any, arguments: dict[str, Any] | None = None, reason: str = "") -> None:
    act(partial(desk.paper.command, name, verb.name, arguments, reason), f"{verb.title}: requested; it is worked after the present instant.")


@st.dialog("Command")
def _with_arguments(desk: Desk, row: Any, verb: Any) -> None:
    st.markdown(f"**{literal(verb.title)}** · {literal(row.name)}")
    st.caption(literal(verb.help))
    with st.form(f"verb-{verb.name}-form", border=False):
        entered = _parameters(desk, row) if verb.name == "set" else {key: value for key, value in fields(desk.paper.params(verb.name), f"verb-{verb.name}").items() if value not in ("", None)}
        reason = st.text_input("Reason", key=f"verb-{verb.name}-reason", placeholder="optional")
        if st.form_submit_button(verb.title, type="primary"):
            _send(desk, row.name, verb, entered, reason)


def _parameters(desk: Desk, row: Any) -> dict[str, Any]:
    """The parameters of a strategy that are changed."""
    view = desk.paper.get(row.name)
    strategies = view.strategies or view.plan["strategies"]
    names = [each["name"] for each in strategies]
    name = st.selectbox("Strategy", names, key="set-strategy") if len(names) > 1 else names[0]
    own = next(each["params"] for each in strategies if each["name"] == name)
    entered = fields(desk.backtests.params(name), f"set-{name}", own)
    return dict(strategy=name, parameters={key: value for key, value in entered.items() if value != own.get(key)})


def _close(desk: Desk, view: Any, verbs: Any) -> None:
    with st.popover("Close", icon=":material/close:", disabled=view.row.over):
        count = len(view.positions)
        st.caption(f"{count} open {'position' if count == 1 else 'positions'}; closed at the next open of their series.")
        if st.button("Close all positions", key="verb-close-all", disabled=not count or bool(verbs["close-all"].refused), help=verbs["close-all"].refused or None):
            _send(desk, view.row.name, verbs["close-all"])
        if st.button("Stop session", key="verb-stop", disabled=bool(verbs["stop"].refused), help=verbs["stop"].refused or "Open positions are closed first; then it ends, and stays in the list."):
            _send(desk, view.row.name, verbs["stop"], dict(close=bool(count)))
