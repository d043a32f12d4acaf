"""The foot of the sidebar: is the house well? One source, read once a run."""

from __future__ import annotations

import streamlit as st

from app.kit.figures import clock
from worker.desk import Desk


def pulse(desk: Desk) -> None:
    now = desk.jobs.pulse()
    st.space("xsmall")
    if not now.workers:
        st.caption(":red[:material/error:] no worker: jobs wait")
    else:
        waiting = f" · {now.queued} queued" if now.queued else ""
        st.caption(f":green[:material/check_circle:] {now.workers} workers · {now.running} running{waiting}")
    verified = now.verified
    if verified and not verified["holds"]:
        st.caption(f":red[:material/link_off:] audit broken at row {verified['broken_at']:,}")
    elif verified:
        st.caption(f":green[:material/link:] audit {verified['rows']:,} verified", help=f"{now.rows:,} events; the first {verified['rows']:,} were verified at {clock(verified['at'])} UTC.")
    else:
        st.caption(f":gray[:material/link:] audit {now.rows:,}, not verified yet")
