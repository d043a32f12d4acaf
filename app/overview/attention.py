"""What needs a person's attention: the worst first, each with the page that helps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.kit.altered import altered_runs
from app.kit.figures import plural, typeset
from app.kit.text import literal
from app.kit.widgets import go
from worker.desk import Desk

MOST = 5            # of them at once
CHECKS = 20         # of drift that are looked at
CRITICAL, WARNING = ":red[:material/error:]", ":orange[:material/warning:]"
WATCHED = ("Queue", "Disk", "Audit trail")      # parts of the system whose warnings are shown


@dataclass(frozen=True)
class Notice:
    """A sentence, and the button that leads to ``page``."""

    icon: str
    text: str
    label: str
    page: str
    query: dict[str, str] = field(default_factory=dict)


def attention(desk: Desk, pulse: Any) -> None:
    """Draw what needs attention."""
    altered_runs(desk, "backtest")
    notices = sorted([*_system(desk, pulse), *trading_notices(desk), *_waiting(desk)], key=lambda notice: notice.icon != CRITICAL)
    for place, notice in enumerate(notices[:MOST]):
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"{notice.icon} {notice.text}", width="stretch")
            if st.button(notice.label, type="tertiary", key=f"attend-{place}"):
                go(notice.page, **notice.query)
    if len(notices) > MOST:
        st.caption(f"and {len(notices) - MOST:,} more.")


def _system(desk: Desk, pulse: Any) -> Iterator[Notice]:
    failing = bool(pulse.verified and not pulse.verified["holds"])
    if failing:
        yield Notice(CRITICAL, f"**The audit trail fails verification.** {literal(typeset(pulse.verified['why']))}", "Open the audit", "audit")
    if not pulse.workers:
        yield Notice(CRITICAL, "**No worker is running.** Jobs are queued until one is: start Tidemark with `make run`.", "See health", "settings")
    elif not pulse.scheduler:
        yield Notice(WARNING, "**The scheduler is not running.** Jobs of a crashed worker are not taken over.", "See health", "settings")
    for part in desk.system.health():
        if part.part in WATCHED and part.state != "well" and not (failing and part.part == "Audit trail"):
            yield Notice(WARNING, f"**{part.part}:** {literal(typeset(part.note.replace('`', '')))}", "See health", "settings")


def trading_notices(desk: Desk) -> Iterator[Notice]:
    for halt in desk.paper.halts():
        scope = literal(halt.name or halt.strategy) or "all sessions"
        yield Notice(CRITICAL, f"**Trading is halted: {scope}.** {literal(halt.who)}: {literal(halt.reason)}", "Open trading", "paper")
    for row in desk.paper.all():
        sentences = [*row.alarms, *([f"It failed: {row.reason}"] if row.state == "error" else [])]
        for sentence in sentences[:1]:
            yield Notice(CRITICAL, f"**Session {literal(row.name)}:** {literal(typeset(sentence))}", "Open the session", "paper", {"session": row.name})
        if row.proposals:
            yield Notice(WARNING, f"**Session {literal(row.name)}** has {plural(row.proposals, 'proposal')} to approve or reject.", "Open the session", "paper", {"session": row.name})


def _waiting(desk: Desk) -> Iterator[Notice]:
    requests = desk.approvals.pending() if desk.settings.people.second else []
    if requests:
        yield Notice(WARNING, f"**{plural(len(requests), 'request')}** for a second person's approval.", "See requests", "settings", {"view": "requests"})
    newest = {check.model: check for check in reversed(desk.drift.checks(limit=CHECKS))}
    for check in newest.values():
        if check.state == "alarm":
            yield Notice(WARNING, f"**Model {literal(check.model)} drifts.** {literal(typeset(check.sentence))}", "See drift", "training", {"view": "drift"})
