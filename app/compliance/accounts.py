"""Imported accounts: a statement's file, its clock, what was read and found; the list of what is there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.compliance.showing import job_of
from app.data.file_input import choose_file
from app.kit.address import address_value
from app.kit.figures import money, number, plural, size, typeset
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, download, go, nothing, section, table
from worker.desk import Desk

STAGED, OTHER = "history-staged", "another zone"
KINDS = "MetaTrader 4 and 5 statements (HTML, CSV), Myfxbook CSV, MQL5 signals, your own CSV of equity or trades"
REBUILD = "Marks the open trades on imported bars (M1 to H1) at the adverse side: the equity between closes, its lows and highs. Rules that watch the equity are then judged by it."
ICONS = {"warning": ":yellow[:material/warning:]", "error": ":red[:material/error:]"}


def accounts(desk: Desk) -> None:
    """Draw the import, then every imported account."""
    job = desk.jobs.get(address_value("job"))
    if job is not None and job.kind in ("import_history", "rebuild_history"):
        if job.state == "done":
            st.session_state.pop(STAGED, None)
            go("compliance", view="accounts", account=str(job.result["history"]))
        if job_of(desk, "history", job):
            return
    with st.container(border=True):
        staged = choose_file(desk, desk.histories, KINDS, "/data/DetailedStatement.htm", STAGED)
        if staged is not None:
            _confirm(desk, staged)
    histories = desk.histories.all()
    if not histories:
        return nothing("No imported account yet", "Choose a statement above. Its trades become an equity path that any rule set can judge.")
    section("Imported accounts", "newest first, UTC; select one to see what was read")
    chosen = table(_frame(histories, desk.histories.formats()), _columns(), f"{plural(len(histories), 'imported account')}", key="accounts", pick=True)
    wanted = address_value("account")
    shown = histories[chosen] if chosen is not None else next((history for history in histories if history.id == wanted), None)
    if shown is not None:
        _chosen(desk, shown)


def _confirm(desk: Desk, staged: Any) -> None:
    """Step 2: what the file is, whose clock its times are on, and the import."""
    key = staged.file[:8]
    section("2  Confirm", f"{staged.name}, {size(staged.size)}: {staged.recognised.title}. {staged.recognised.evidence}")
    with st.form(f"history-{key}", border=False):
        a, b, c, d = st.columns(4, vertical_alignment="bottom")
        clocks = desk.histories.clocks()
        clock = ""
        if staged.needs_clock:
            chosen = a.selectbox(
                "Clock of the file", [*clocks, OTHER], index=None, placeholder="Choose", key=f"history-clock-{key}", format_func=lambda name: clocks.get(name, OTHER),
                help="A statement's times are the broker's server's, and it does not say which clock that is. Most MetaTrader brokers: midnight is 17:00 New York.",
            )  # fmt: skip
            zone = a.text_input("Another zone", placeholder="Europe/Prague, or UTC+2", key=f"history-zone-{key}")
            clock = zone.strip() if chosen == OTHER or not chosen else str(chosen)
        name = b.text_input("Name", staged.name, max_chars=120, key=f"history-name-{key}")
        currency = c.text_input("Currency", placeholder="as the file says", max_chars=3, key=f"history-currency-{key}", help="Needed where the file does not say it.")
        initial = d.number_input("Initial balance", 0.0, None, None, key=f"history-initial-{key}", placeholder="as the file says", help="Needed where the file has no deposit before its first trade.")
        with st.container(horizontal=True, vertical_alignment="center"):
            sent = st.form_submit_button("Import", type="primary", icon=":material/download_done:", **allowed(desk, "histories.import_"))
            discarded = st.form_submit_button("Discard", help="Nothing is stored.")
    if discarded:
        desk.histories.discard(staged)
        st.session_state.pop(STAGED, None)
        go("compliance", view="accounts")
    if sent:
        submitted = attempt(lambda: desk.histories.import_(staged, clock, currency, initial or None, name))
        if submitted is not None:
            st.query_params["job"] = submitted.job.id
            st.rerun()


def _chosen(desk: Desk, history: Any) -> None:
    """One account: what was read and found, its tables, and the ways on."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.header(literal(history.name), anchor=False, width="content")
        st.caption(literal(f"{history.company} {history.account}".strip()), width="content")
        st.space("stretch")
        if st.button("Judge", type="primary", icon=":material/gavel:", key=f"judge-{history.id}", **allowed(desk, "compliance.submit")):
            go("compliance", history=history.id)
        for name, title in desk.histories.tables(history.id).items():
            download(f"{title}, CSV", f"{history.id}_{name}.csv", "text/csv", partial(desk.histories.download, history.id, name), f"take-{history.id}-{name}")
        if st.button("Rebuild from bars", icon=":material/candlestick_chart:", type="tertiary", key=f"rebuild-{history.id}", **allowed(desk, "histories.rebuild", help=REBUILD)):
            _rebuild(desk, history)
        if st.button("Delete…", icon=":material/delete:", type="tertiary", key=f"delete-{history.id}", **allowed(desk, "histories.delete")):
            _delete(desk, history)
    facts = f"{plural(history.trades, 'trade')}, {plural(history.flows, 'cash flow')}, {money(history.initial, history.currency)} to {money(history.balance, history.currency)}; clock {desk.histories.clock_name(history)}; knows {', '.join(history.knows)}"
    st.caption(literal(facts))
    for finding in history.findings:
        st.caption(f"{ICONS.get(str(finding['severity']), ':gray[:material/info:]')} {literal(typeset(str(finding['sentence'])))}")


def _rebuild(desk: Desk, history: Any) -> None:
    submitted = attempt(lambda: desk.histories.rebuild(history.id))
    if submitted is not None:
        go("compliance", view="accounts", account=history.id, job=submitted.job.id)


def _frame(histories: Any, formats: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        dict(id=history.id, name=history.name, format=formats.get(history.format, history.format), trades=history.trades, first=f"{history.first_ts:%Y-%m-%d}", last=f"{history.last_ts:%Y-%m-%d}", balance=f"{number(history.balance, 2)} {history.currency}", created=f"{history.created_at:%Y-%m-%d %H:%M}")
        for history in histories
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "id": config.TextColumn("Id", width=64), "name": config.TextColumn("Name", width=200), "format": config.TextColumn("Format", width=96),
        "trades": config.NumberColumn("Trades", format="localized", width=62), "first": config.TextColumn("From", width=82), "last": config.TextColumn("To", width=82),
        "balance": config.TextColumn("Balance", width=120), "created": config.TextColumn("Imported, UTC", width=118),
    }  # fmt: skip


@st.dialog("Delete account history")
def _delete(desk: Desk, history: Any) -> None:
    st.write(literal(f"{history.name} with {plural(history.trades, 'trade')} is deleted. Its audit events and judgements stay."))
    if st.button("Delete account history", type="primary", **allowed(desk, "histories.delete")):
        attempt(lambda: desk.histories.delete(history.id))
        go("compliance", view="accounts")
