"""Base of jobs: a job takes a spec and returns a function that writes the result in the final unit of work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from domain.registry import Registry
from worker.settings import Settings
from worker.store import Job, Store, Unit


class Stopped(BaseException):
    """Raised inside a job by ``Work.progress`` when the job must stop. Not an Exception: a job must not swallow it."""


class Cancelled(Stopped):
    """The job was cancelled by a user."""


class Overdue(Stopped):
    """The job exceeded the time limit of its kind."""


class Fenced(Stopped):
    """Another worker owns the job now; nothing of this attempt may be written."""


class ShuttingDown(Stopped):
    """The worker is shutting down; another worker resumes the job from its checkpoint."""


@dataclass(frozen=True)
class JobResult:
    """What the final unit of work recorded: the job's ``result`` and its audit event."""

    result: Mapping[str, Any]
    event: str
    entities: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)


Commit = Callable[[Unit], JobResult]
Partial = Callable[[Mapping[str, Any], "Work"], "Commit | None"]


@dataclass(frozen=True)
class Kind:
    """How jobs of one kind are run: ``limit`` seconds at most, ``retries`` when the outside world fails, not while a job of the kind ``after`` compiles what it needs.
    ``partial``: what a person who cancels it keeps of it; it may not report progress, and gives None where there is nothing to keep."""

    name: str
    run: Callable[[Mapping[str, Any], Work], Commit]
    limit: float
    retries: int
    after: str = ""
    partial: Partial | None = None


JOBS: Registry[Kind] = Registry("kind of job")


def job(name: str, *, limit: float = 600.0, retries: int = 3, after: str = "", partial: Partial | None = None) -> Callable:
    """Register a function as the kind ``name``."""

    def register(run: Callable[[Mapping[str, Any], Work], Commit]) -> Callable[[Mapping[str, Any], Work], Commit]:
        JOBS.add(name, Kind(name, run, limit, retries, after, partial))
        return run

    return register


class Work:
    """What a running job may use. ``progress`` costs nothing: a heartbeat beside the job writes it to the row."""

    def __init__(self, store: Store, settings: Settings, job: Job) -> None:
        self.store, self.settings, self.job = store, settings, job
        self.began = time.monotonic()
        self._lock = Lock()
        self._updates: dict[str, Any] = {}
        self._stages: list[list[Any]] = []
        self._carried, self._reported = 0.0, False
        self._stop: Stopped | None = None

    @property
    def checkpoint(self) -> Any:
        """The checkpoint of an earlier attempt, or None."""
        return self.job.checkpoint

    def stage(self, name: str) -> None:
        """Begin a named part of the work; the page ticks off the ones before it."""
        with self._lock:
            self._stages = [*self._stages, [name, round(time.monotonic() - self.began, 3)]]
            self._updates.update(stages=self._stages, note=name)
        self._raise_if_stopped()

    def progress(self, share: float, note: str | None = None) -> None:
        """Report progress, 0 to 1. Call it at least every 0.3 s: a cancelled job stops here."""
        with self._lock:
            self._updates["progress"], self._reported = min(max(float(share), 0.0), 1.0), True
            if note is not None:
                self._updates["note"] = note
        self._raise_if_stopped()

    def carry(self, share: float) -> None:
        """Report what earlier attempts left done, as a share of the whole: no part of the pace of this one."""
        with self._lock:
            self._carried = min(max(float(share), 0.0), 1.0)

    def within(self, low: float, high: float) -> Callable[..., None]:
        """A progress for a part of the job that fills ``low`` to ``high`` of it."""

        def part(share: float, note: str | None = None) -> None:
            self.progress(low + (high - low) * share, note)

        return part

    def show(self, live: Any) -> None:
        """What the page shows of the running job beside its progress, such as a curve of at most 200 points; written with the next heartbeat."""
        with self._lock:
            self._updates["live"] = live

    def save(self, checkpoint: Any) -> None:
        """Save ``checkpoint`` for the worker that resumes the job; written with the next heartbeat."""
        with self._lock:
            self._updates["checkpoint"] = checkpoint

    def stop(self, why: Stopped) -> None:
        self._stop = self._stop or why

    def take_updates(self) -> dict[str, Any]:
        """Updates since the last call, and how long this attempt has been at work; until it reports progress, all that the row shows is of an earlier one."""
        with self._lock:
            updates, self._updates = self._updates, {}
            return dict(updates, worked=time.monotonic() - self.began, carried=self._carried if self._reported else self.job.progress)

    def _raise_if_stopped(self) -> None:
        if self._stop:
            raise self._stop
