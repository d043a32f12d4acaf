"""The heading of the Jobs page: how many there are, and one click for those that stopped."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.kit.figures import plural
from app.kit.widgets import attempt, head
from worker.desk import Desk, JobFilter

STOPPED = JobFilter(("failed", "cancelled"), dismissed=False)
MOST = 500      # dismissed by one click


def heading(desk: Desk) -> None:
    pulse, stopped = desk.jobs.pulse(), desk.jobs.matching(STOPPED, MOST)
    sentence = f"{plural(pulse.running, 'job')} running · {pulse.queued} queued · {pulse.failed_today} failed today"
    head("Jobs", sentence, partial(_dismiss, desk, stopped) if stopped else None)


def _dismiss(desk: Desk, stopped: list) -> None:
    count = f"{len(stopped)}{' or more' if len(stopped) == MOST else ''}"
    if st.button(f"Dismiss {count} failed or cancelled", icon=":material/notifications_off:", help="Takes them off the Overview page. They stay in this list."):
        attempt(partial(desk.jobs.dismiss, [job.id for job in stopped]))
        st.rerun()
