"""A session's account at a broker: what differs and is to be settled, what is unknown, what is somebody else's."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import money, plural, typeset
from app.kit.text import literal
from app.kit.widgets import section
from app.paper.acting import act
from app.paper.tables import Digits, frame
from worker.desk import Desk

WAITING = ("client_id", "instrument", "side", "lots", "until", "why")
LEAVING = ("trade_id", "instrument", "lots", "reason")
HELD = ("position_id", "instrument", "side", "lots", "price")


def account(desk: Desk, view: Any, digits: Digits) -> None:
    """All that is known of it; nothing for a session on paper."""
    seen = view.broker
    if not seen:
        return
    _money(view)
    _differences(desk, view)
    for row in seen.get("unknown") or ():
        st.warning(literal(typeset(str(row["sentence"]))), icon=":material/help:")
    _rows("Orders that wait at this side", "they are sent once the price is fresh, or expire with their bar", seen.get("waiting"), WAITING, digits)
    _rows("Due to leave", "closings that the broker has not filled yet", seen.get("leaving"), LEAVING, digits)
    _rows("Positions of others", "on the same account; shown and left alone", seen.get("foreign"), HELD, digits)


def _money(view: Any) -> None:
    seen, held = view.broker, view.broker.get("account")
    if held is None:
        st.caption(literal(typeset(seen.get("trouble") or "The broker's account has not been read yet.")))
        return
    parts = [f"{title} {money(float(held[name]), held['currency'])}" for title, name in (("equity", "equity"), ("balance", "balance"), ("margin used", "margin_used"), ("free", "margin_free"))]
    st.caption(literal(f"At the broker: {' · '.join(parts)}" + (f" · {typeset(seen['trouble'])}" if seen.get("trouble") else "")))


def _differences(desk: Desk, view: Any) -> None:
    rows = view.broker.get("differences") or ()
    if not rows:
        return
    section("Differs from the broker", "lots; a person decides which book is right")
    refused = desk.paper.refused("adopt", view.row)
    for number, row in enumerate(rows):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(literal(f"{row['instrument']} · order {row['client_id']} · this session {row['expected']}, the broker {row['actual']}"), width="stretch")
            if st.button("Adopt…", key=f"adopt-{number}", disabled=bool(refused), help=refused or "Adopt the broker's lots."):
                _settle(desk, view.row, dict(row), False)
            has = float(row["actual"]) > 0
            if st.button("Close at the broker…", key=f"adopt-close-{number}", disabled=bool(refused) or not has, help=refused or ("Adopt the broker's lots, and close them." if has else "The broker has nothing to close.")):
                _settle(desk, view.row, dict(row), True)


@st.dialog("Settle the difference")
def _settle(desk: Desk, row: Any, difference: dict[str, Any], close: bool) -> None:
    lots = f"{difference['actual']} lots of {difference['instrument']}"
    st.markdown(literal(f"{row.name} adopts {lots} of order {difference['client_id']}" + (", and closes them at the broker." if close else f" in place of {difference['expected']}.")))
    reason = st.text_input("Reason", key="adopt-reason", help="Recorded on the tape and in the audit trail, with your name.")
    if st.button("Adopt and close" if close else "Adopt", type="primary", disabled=not reason.strip()):
        arguments = dict(client_id=difference["client_id"]) | (dict(close=True) if close else {})
        act(partial(desk.paper.command, row.name, "adopt", arguments, reason))


def _rows(title: str, note: str, rows: Any, columns: tuple[str, ...], digits: Digits) -> None:
    if rows:
        section(title, note)
        frame(pd.DataFrame.from_records(list(rows)), columns, plural(len(rows), "row"), digits)
