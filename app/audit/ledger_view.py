"""Reconciliations with a broker's own ledger, which later parts record."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import clock, plural
from app.kit.text import literal
from app.kit.widgets import nothing, section, table
from worker.desk import Desk


def view(desk: Desk) -> None:
    compared = desk.trail_days.reconciliations()
    if not compared:
        return nothing(
            "No broker's ledger yet",
            "There are no paper or live sessions. Each will compare its orders, fills and positions with the broker's own ledger, on connecting and on a schedule; every comparison is an event and appears here.",
        )
    section("Broker's ledger", "comparisons of orders, fills and positions, newest first, UTC")
    rows = [
        dict(at=event.ts[:19].replace("T", " "), broker=result.broker, account=result.account, **{what: result.compared.get(what, 0) for what in ("orders", "fills", "positions")}, differences=result.count, state=["agrees" if result.agrees else "differs"])
        for event, result in compared
    ]
    config = st.column_config
    columns = {
        "at": config.TextColumn("Compared, UTC", width=136), "broker": config.TextColumn("Broker", width=90), "account": config.TextColumn("Account", width=110),
        **{what: config.NumberColumn(what.capitalize(), format="localized", width=76) for what in ("orders", "fills", "positions")},
        "differences": config.NumberColumn("Differences", format="localized", width=90), "state": config.MultiselectColumn("State", width=84, options=["agrees", "differs"], color=["green", "red"]),
    }  # fmt: skip
    row = table(pd.DataFrame(rows), columns, "Comparisons with brokers' ledgers", key="ledger", pick=True, row_height=26)
    _differences(*compared[row or 0])


def _differences(event: Any, result: Any) -> None:
    section(f"{result.broker} {result.account}", f"as of {clock(result.as_of, seconds=True)} UTC, event {event.seq:,}")
    if result.agrees:
        st.caption(":green[:material/check_circle:] Both ledgers agree.")
        return
    st.error(f"{plural(result.count, 'difference')}. No new order is sent to this account until it is reconciled.", icon=":material/error:")
    for each in result.differences[:50]:
        st.caption(literal(each.sentence))
    if result.count > 50:
        st.caption(f"and {result.count - 50:,} more, in the event")
