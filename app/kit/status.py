"""Status footer of the sidebar: workers, queue, audit trail, trading, and the kill switch on every page. Read once a run."""

from __future__ import annotations

import streamlit as st

from app.kit.figures import clock, plural
from app.kit.signed_out import to_sign_in
from app.kit.text import literal
from app.kit.widgets import attempt
from worker.desk import Desk


def status(desk: Desk) -> None:
    now = desk.jobs.pulse()
    st.space("xsmall")
    if not now.workers:
        st.caption(":red[:material/error:] No worker running, jobs are queued.")
    else:
        waiting = f" · {now.queued} queued" if now.queued else ""
        st.caption(f":green[:material/check_circle:] {plural(now.workers, 'worker')} · {now.running} running{waiting}")
    verified = now.verified
    if verified and not verified["holds"]:
        st.caption(f":red[:material/link_off:] Audit trail: broken at event {verified['broken_at']:,}")
    elif verified:
        st.caption(f":green[:material/link:] Audit trail: {verified['rows']:,} of {now.rows:,} events verified", help=f"Verified at {clock(verified['at'])} UTC; later events, that verification among them, are not included.")
    else:
        st.caption(f":gray[:material/link:] Audit trail: {plural(now.rows, 'event')}, not verified yet")
    _trading(desk)
    _person(desk)


def _person(desk: Desk) -> None:
    """Who is signed in, and what waits for them."""
    if not desk.actor.session:
        return
    st.caption(f":gray[:material/person:] {literal(desk.actor.name)}, {literal(desk.actor.role)}")
    pending = desk.approvals.pending() if desk.settings.people.second else []
    for count, words in ((sum(not desk.approvals.refused(request) for request in pending), "for you"), (sum(request.person == desk.actor.behind for request in pending), "of yours")):
        if count:
            st.page_link(st.session_state["pages"]["settings"], label=f"{plural(count, 'request')} {words}", icon=":material/group:", query_params={"view": "requests"})
    if st.button("Sign out", icon=":material/logout:", type="tertiary", key="leave"):
        desk.account.sign_out()
        to_sign_in()
        st.stop()


def _trading(desk: Desk) -> None:
    """Sessions, what halts them, and the stop of all of them; nothing while there has been no session."""
    sessions, halts = desk.paper.all(), desk.paper.halts()
    if not sessions and not halts:
        return
    if halts:
        newest = halts[0]
        st.caption(literal(f"Trading halted {clock(newest.at)} UTC by {newest.who}"), help=literal(newest.reason))
    else:
        st.caption(f":green[:material/monitor_heart:] {plural(sum(not row.over for row in sessions), 'session')} running")
    refused = desk.paper.refused("halt")
    with st.popover("Halt trading", icon=":material/back_hand:", type="tertiary", disabled=bool(refused), help=refused or None):
        reason = st.text_input("Reason", key="halt-trading-reason", placeholder="optional")
        st.caption("No order any more in any session; open positions are closed at the next open. It stays until a person releases it.")
        if st.button("Halt all sessions", type="primary", key="halt-trading", width="stretch"):
            attempt(lambda: desk.paper.halt(reason))
            st.rerun()
