"""Verify the whole audit trail and save the verdict."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from domain.audit.verify import Checker, Verdict, concluded
from worker.store import Store
from worker.store.trail import Trail

log = logging.getLogger("evidence")
FACT = "audit_verified"
SEEN = "audit_seen"         # rows and root of the last check that held; each later one must be of the same trail, or longer


def check(store: Store, actor: str = "", progress: Callable[[float, str], None] = lambda share, note: None) -> dict[str, Any]:
    """Verify the trail as of now. The verdict is saved for every page; a check requested by ``actor`` is an audit event too."""
    began = time.monotonic()
    with store.read() as unit:
        rows, _ = unit.trail.head()
        verdict = _walk(unit.trail.all(), rows, unit.trail.root(rows), progress)
        if verdict.holds:
            verdict = _beside(verdict, unit.trail, unit.fact(SEEN))
    result = remembered(verdict, time.monotonic() - began)
    with store.unit() as unit:
        at = unit.now()
        unit.remember(FACT, {**result, "at": at.isoformat()})
        if verdict.holds:
            unit.remember(SEEN, dict(rows=verdict.rows, root=verdict.root))
    if actor:
        _say(store, actor, result)
    return {**result, "at": at}


def _say(store: Store, actor: str, result: dict[str, Any]) -> None:
    try:
        with store.unit() as unit:
            unit.audit(actor, "audit_verified" if result["holds"] else "audit_broken", "audit:trail", **result)
    except IntegrityError:      # rows were cut off below their tree: the database takes no more; the verdict is remembered all the same
        log.exception("audit trail is now read-only: %s", result["why"])


def _walk(records: Any, rows: int, kept_root: str, progress: Callable[[float, str], None]) -> Verdict:
    checker = Checker()
    for number, record in enumerate(records):
        if record.seq > rows:
            break
        if why := checker.take(record):
            return Verdict(checker.rows, checker.head, checker.root(), checker.rows + 1, why + " Everything before it verifies.")
        if number % 2_000 == 0:
            progress(number / max(rows, 1), f"{number:,} of {rows:,} events")
    return concluded(checker, kept_root, rows)


def _beside(verdict: Verdict, trail: Trail, seen: Any) -> Verdict:
    """A consistent trail may still be shorter than, or differ from, the stored tree and the last check: compare with both."""
    rows = verdict.rows
    if trail.nodes() != rows - rows.bit_count():
        return replace(verdict, broken_at=rows + 1, why=f"The trail ends at row {rows:,}, and its tree was built over another number of rows.")
    if seen and rows < seen["rows"]:
        return replace(verdict, broken_at=rows + 1, why=f"The trail ends at row {rows:,}, and an earlier check went up to row {seen['rows']:,}.")
    if seen and trail.root(seen["rows"]) != seen["root"]:
        return replace(verdict, broken_at=seen["rows"], why=f"The first {seen['rows']:,} rows are not those that an earlier check saw.")
    return verdict


def remembered(verdict: Verdict, seconds: float) -> dict[str, Any]:
    return dict(rows=verdict.rows, head=verdict.head, root=verdict.root, holds=verdict.holds, broken_at=verdict.broken_at, why=verdict.why, seconds=round(seconds, 2))


def last(fact: Any) -> dict[str, Any] | None:
    """The remembered verdict, its time as a time."""
    return {**fact, "at": datetime.fromisoformat(fact["at"])} if fact else None
