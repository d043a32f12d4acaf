"""Models in production are watched once a day, however many schedulers there are, and however often they start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from worker.dispatch import enqueue
from worker.settings import Settings
from worker.store import Store

FACT = "models watched"         # when the last daily check was submitted, ISO
EVERY = timedelta(days=1)
LOOK_EVERY = 300.0              # seconds


def step(store: Store, settings: Settings, send: Callable[[str, str, str], bool] = enqueue) -> str | None:
    """The id of the job that was submitted; None where a check is not due, or nothing is in production.

    The job's key names the check before it: schedulers that find one due at the same time, or one that ended before it could remember, submit the same job.
    """
    with store.read() as unit:
        last = unit.fact(FACT)
        due = last is None or unit.now() - datetime.fromisoformat(last) >= EVERY
        if not due or not any(unit.models.stage(model.id) == "production" for model in unit.models.all()):
            return None
    from worker.desk import Desk

    submitted = Desk(store, settings, "tidemark", send).drift.submit(key=f"watch models after {last or 'none'}")
    with store.unit() as unit:
        unit.alone_with(FACT)
        if unit.fact(FACT) == last:
            unit.remember(FACT, unit.now().isoformat())
    return submitted.job.id if submitted.new else None
