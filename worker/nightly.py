"""Sessions are held against their backtests once a day, in the first look after midnight UTC, however many schedulers there are."""

from __future__ import annotations

from collections.abc import Callable

from worker.dispatch import enqueue
from worker.settings import Settings
from worker.store import Store

FACT = "sessions compared"      # the day of the last nightly check
LOOK_EVERY = 300.0              # seconds
KIND = "consistency"


def step(store: Store, settings: Settings, send: Callable[[str, str, str], bool] = enqueue) -> str | None:
    """The id of the job that was submitted; None where this day has its check, or there is no session. The job's key names the day, so that two schedulers submit the same job."""
    with store.read() as unit:
        day = unit.now().date().isoformat()
        if unit.fact(FACT) == day or not unit.sessions.all():
            return None
    from worker.desk import Desk

    submitted = Desk(store, settings, "tidemark", send).session_analysis.check(key=f"compare sessions {day}")
    with store.unit() as unit:
        unit.remember(FACT, day)
    return submitted.job.id if submitted.new else None
