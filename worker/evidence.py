"""Verify the audit trail, with what stands beside it, and save the verdict."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from domain.audit.verify import Verdict
from domain.errors import BadRequest
from worker.store import Store, Unit
from worker.store.append import TrailBroken
from worker.store.engine import read_only
from worker.store.examine import Examination, examined, unreadable

log = logging.getLogger("evidence")
FACT = "audit_verified"
SEEN = "audit_seen"         # rows and root of the last check that held; each later one must be of the same trail, or longer
SQLITE = b"SQLite format 3\0"
MOST = 20                   # sentences that a verdict keeps
KEYS = ("rows", "head", "root", "holds", "broken_at", "why", "seconds")
Progress = Callable[[float, str], None]


def check(
    store: Store, actor: str = "", progress: Progress = lambda share, note: None, since: tuple[int, str] | None = None, tables: bool = False
) -> dict[str, Any]:
    """Verify the trail as of now. The verdict is saved for every page; a check requested by ``actor`` is an audit event too.

    ``since``: size and root of a checkpoint that is trusted: only what is newer is walked. ``tables``: hash the stored tables, too.
    Whatever is wrong with the trail is in the verdict; only a database that does not answer raises.
    """
    began = time.monotonic()
    examination = _examined(store, progress, since, tables)
    result = remembered(examination, time.monotonic() - began)
    at = _keep(store, result, examination, whole=since is None)
    if actor:
        _say(store, actor, result)
    return {**result, "at": at}


def check_copy(path: Path, progress: Progress = lambda share, note: None) -> dict[str, Any]:
    """Verify the trail in a copy of a SQLite database, which is opened for reading only and never written to. Raises ``BadRequest`` where it is none."""
    if not path.is_file():
        raise BadRequest(f"there is no file {path}; name a copy of the workspace's tidemark.db")
    with path.open("rb") as file:
        if file.read(len(SQLITE)) != SQLITE:
            raise BadRequest(f"{path} is no SQLite database; name a copy of the workspace's tidemark.db")
    began, engine = time.monotonic(), read_only(path)
    try:
        with engine.connect() as connection, connection.begin():
            examination = _guarded(lambda: examined(Unit(connection), SEEN, progress))
    except DBAPIError as error:
        raise BadRequest(f"{path} cannot be read as a database: {error.orig}. Name a copy of the workspace's tidemark.db, with its -wal file if there is one") from None
    finally:
        engine.dispose()
    return remembered(examination, time.monotonic() - began)


def _examined(store: Store, progress: Progress, since: tuple[int, str] | None, tables: bool) -> Examination:
    def all_of_it() -> Examination:
        with store.read() as unit:
            return examined(unit, SEEN, progress, since, store.frames if tables else None, store.blobs if tables else None)

    return _guarded(all_of_it)


def _guarded(examine: Callable[[], Examination]) -> Examination:
    """A database that answers, but not as a trail would, is a verdict and no error."""
    try:
        return examine()
    except DBAPIError as error:
        if why := unreadable(error):
            return Examination(Verdict(0, "", "", 1, why), [why])
        raise


def _keep(store: Store, result: dict[str, Any], examination: Examination, whole: bool) -> datetime:
    try:
        with store.unit() as unit:
            at = unit.now()
            before = unit.fact(SEEN)
            unit.remember(FACT, {**result, "at": at.isoformat()})
            if examination.verdict.holds:
                whole_at = at.isoformat() if whole else before.get("whole_at") if isinstance(before, dict) else None
                unit.remember(SEEN, dict(rows=examination.verdict.rows, root=examination.verdict.root, whole_at=whole_at))
            return at
    except DBAPIError as error:         # the table of facts is gone: the verdict is returned all the same
        if not unreadable(error):
            raise
        log.error("the verdict on the audit trail could not be saved")
        with store.read() as unit:
            return unit.now()


def _say(store: Store, actor: str, result: dict[str, Any]) -> None:
    try:
        with store.unit() as unit:
            unit.audit(actor, "audit_verified" if result["holds"] else "audit_broken", "audit:trail", **result)
    except (TrailBroken, SQLAlchemyError):      # the database takes no more events; the verdict is remembered all the same
        log.error("audit trail is now read-only: %s", result["why"])


def remembered(examination: Examination, seconds: float) -> dict[str, Any]:
    verdict, faults = examination.verdict, examination.faults
    return dict(
        rows=verdict.rows, head=verdict.head, root=verdict.root, holds=verdict.holds and not faults, broken_at=verdict.broken_at, why=verdict.why, seconds=round(seconds, 2),
        faults=faults[:MOST], more=max(len(faults) - MOST, 0), since=examination.since, covered=examination.covered, uncovered=examination.uncovered, guards=examination.guards,
    )  # fmt: skip


def trusted_since(fact: Any, now: datetime, longest: float) -> tuple[int, str] | None:
    """Size and root of the last check that held, where the whole trail was walked within ``longest`` seconds; None: walk all of it.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 20, 14, tzinfo=UTC)
    >>> trusted_since(dict(rows=3, root="ab", whole_at="2026-11-20T13:00:00+00:00"), now, 7200.0), trusted_since({}, now, 7200.0)
    ((3, 'ab'), None)
    """
    try:
        age = (now - datetime.fromisoformat(fact["whole_at"])).total_seconds()
        return (int(fact["rows"]), str(fact["root"])) if 0 <= age < longest and fact["rows"] else None
    except (TypeError, KeyError, ValueError):
        return None


def last(fact: Any) -> dict[str, Any] | None:
    """The remembered verdict, its time as a time; None where there is none, or what is there is no verdict."""
    try:
        if not {"at", *KEYS} <= set(fact):
            return None
        return {"faults": [], "more": 0, "since": 0, "covered": 0, "uncovered": 0, "guards": "", **fact, "at": datetime.fromisoformat(fact["at"])}
    except (TypeError, ValueError):
        return None
