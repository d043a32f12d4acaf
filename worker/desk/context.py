"""Shared state of the desk's parts: store, settings, the acting user, and how a worker is notified."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.audit import canonical, plain
from domain.errors import UnknownName
from worker.code import code_of
from worker.desk.actor import Actor
from worker.desk.incoming import Quota
from worker.dispatch import SESSIONS
from worker.instrument_table import table_file
from worker.settings import Settings
from worker.store import Job, Store, Unit
from worker.store.seals import Altered


@dataclass(frozen=True)
class Submitted:
    """The job; ``new`` is False where an identical request exists, whose job it then is."""

    job: Job
    new: bool


@dataclass(frozen=True)
class DeskContext:
    store: Store
    settings: Settings
    actor: Actor
    send: Callable[[str, str, str], bool]
    quota: Quota = field(default_factory=Quota)

    @property
    def user(self) -> str:
        """The name recorded in the audit trail."""
        return self.actor.name

    @property
    def instruments_file(self) -> str:
        """The table of instruments as it is now, edits included; "" for the shipped one."""
        with self.store.read() as unit:
            return table_file(unit, self.settings)

    def submit(self, kind: str, title: str, spec: Mapping[str, Any], queue: str = "interactive", key: str = "", example: bool = False, user: str = "") -> Submitted:
        """Commit the job's row and its audit event, then notify a worker. The same ``key`` returns the existing job while its stored result is intact."""
        key = self.keyed(key)
        spoilt = self._spoilt(key) if key else ""
        with self.store.unit() as unit:
            if spoilt:
                unit.jobs.forget_key(spoilt)
            job, new = unit.jobs.add(kind, queue, title, spec, user or self.user, unit.now(), key or None, example)
            if new:
                unit.audit(job.actor, "job_submitted", f"job:{job.id}", job=kind, title=title, spec=spec_digest(spec))
        if new:
            self.wake(job)
        return Submitted(job, new)

    def keyed(self, key: str) -> str:
        """The key of the same request on the table of instruments as it is edited now; the key itself while nothing was edited."""
        file = self.instruments_file if key else ""
        return hashlib.sha256(f"{key} {Path(file).name}".encode()).hexdigest() if file != self.settings.instruments_file and key else key

    def _spoilt(self, key: str) -> str:
        """The earlier job of this key, if a table of its result is missing or altered and must be computed again."""
        with self.store.read() as unit:
            job = unit.jobs.of_key(key)
            try:
                names = _frames_of(unit, job) if job and job.state == "done" else ()
            except Altered:         # its result is not the one that was recorded
                return job.id if job else ""
        return job.id if job and any(self.store.frames.fault(name) for name in names) else ""

    def wake(self, job: Job) -> None:
        with self.store.read() as unit:
            at = unit.now()
        if self.send(self.settings.redis_url, job.queue, job.id):
            with self.store.unit() as unit:
                unit.jobs.sent([job.id], at)

    def wake_runners(self, session: str = "") -> None:
        """There is something for the runner of this session, or of all."""
        self.send(self.settings.redis_url, SESSIONS, session)


def _frames_of(unit: Unit, job: Job) -> list[str]:
    """The tables of a finished job's result."""
    result = job.result or {}
    run = unit.runs.get(result["run"]) if result.get("run") else None
    dataset = unit.datasets.get(result["dataset"]) if result.get("dataset") else None
    outside = unit.outside.get(result["outside"]) if result.get("outside") else None
    history = unit.histories.get(result["history"]) if result.get("history") else None
    return [*(run.frames.values() if run else ()), *(history.frames.values() if history else ()), *(name for name in (dataset and dataset.frame, dataset and dataset.ledger, outside and outside.frame) if name)]


def key_of(kind: str, spec: Mapping[str, Any]) -> str:
    """The same request on the same code has the same key."""
    return hashlib.sha256(canonical(plain(dict(kind=kind, spec=spec, code=code_of(kind))))).hexdigest()


def spec_digest(spec: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(plain(spec))).hexdigest()


def required(thing: Any, what: str, name: str) -> Any:
    """``thing``; raises ``UnknownName`` where it is None."""
    if thing is None:
        raise UnknownName(f"there is no {what} {name}; it may have been deleted. Choose one from the list")
    return thing
