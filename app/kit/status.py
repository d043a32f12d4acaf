"""Status footer of the sidebar: workers, queue, audit trail. Read once a run."""

from __future__ import annotations

import streamlit as st

from app.kit.figures import clock, plural
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
