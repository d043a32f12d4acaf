"""Hold trading sessions against the backtests of their tapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.consistency import check, fact_of, record
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Unit
from worker.store.session_asking import entity

OVER = ("finished", "stopped")


@job("consistency", limit=6 * 3_600, after="compile")
def consistency(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: ``sessions`` (names; none: all that may have changed since they were last found to hold). One that cannot be compared says why and stops no other."""
    names = list(spec["sessions"]) or due(work)
    checks = []
    for number, name in enumerate(names):
        work.progress(number / max(len(names), 1), f"Compare {name}")
        checks.append(check(work.store, name, work.settings))

    def commit(unit: Unit) -> JobResult:
        for each in checks:
            record(unit, each, work.job.actor, work.job.id)
        parted = [each.session for each in checks if not each.holds]
        result = dict(sessions=len(checks), parted=parted, checks=[each.plain() for each in checks])
        return JobResult(result, "sessions_compared", tuple(entity(name) for name in parted), dict(title=work.job.title, sessions=len(checks), parted=parted))

    return commit


def due(work: Work) -> list[str]:
    """Sessions by name, without those that were over, and held, when they were last looked at."""
    with work.store.read() as unit:
        return [each.name for each in unit.sessions.all() if not settled(unit.fact(fact_of(each.name))) or each.state not in OVER]


def settled(last: Any) -> bool:
    """Whether a check covered the session to its end, and it held."""
    return bool(last) and last["until"] is None and last["holds"]
