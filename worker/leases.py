"""Expired leases: the holder's process ended on this machine, or it sent no heartbeat for too long.

A lease is a counter that its holder raises. Nobody compares times of day: whoever watches measures, by a clock of its own that cannot be
set, how long the counter stood still while it was watching.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from worker.owner import gone
from worker.store import Store, Unit
from worker.store.jobs import RunningJob

Key = TypeVar("Key", bound=Hashable)
LONGEST_LOOK = 2.0      # seconds; between two looks no more than this is counted: who slept, or could not look, learnt nothing


class Watch:
    """Time since each heartbeat counter last changed.

    >>> at = iter((0.0, 1.0, 2.0, 3.0))
    >>> watch = Watch(lease=2.0, clock=lambda: next(at))
    >>> [watch.silent(dict(a=beats, b=1)) for beats in (1, 2, 2)]
    [[], [], ['b']]
    """

    def __init__(self, lease: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease, self._clock = lease, clock
        self._looked: float | None = None
        self._watched = 0.0
        self._seen: dict[Hashable, tuple[object, float]] = {}

    def silent(self, beats: Mapping[Key, object]) -> list[Key]:
        """Holders whose counter has not changed for the length of a lease."""
        now = self._clock()
        self._watched += min(now - (now if self._looked is None else self._looked), LONGEST_LOOK)
        self._looked = now
        before, self._seen = self._seen, {}
        for key, mark in beats.items():
            previous = before.get(key)
            self._seen[key] = previous if previous and previous[0] == mark else (mark, self._watched)
        return [key for key in beats if self._watched - self._seen[key][1] >= self._lease]


def rescue(store: Store, watch: Watch) -> list[str]:
    """Free jobs and leases of dead or silent holders; returns the ids of the jobs that are queued again."""
    with store.read() as unit:
        running, leases = unit.jobs.running(), unit.leases.owned()
    silent = watch.silent({("job", job.id): (job.epoch, job.beats) for job in running} | {("lease", lease.name): (lease.epoch, lease.beats) for lease in leases})
    lost = [job for job in running if gone(job.owner) or ("job", job.id) in silent]
    left = [lease for lease in leases if gone(lease.owner) or ("lease", lease.name) in silent]
    if not lost and not left:
        return []
    with store.unit() as unit:
        for lease in left:
            unit.leases.free(lease.name, lease.epoch, lease.beats)
        return [job.id for job in lost if unit.jobs.rescue(job.id, job.epoch, job.beats)]


def rescue_here(unit: Unit) -> list[RunningJob]:
    """Requeue the jobs whose worker ended on this machine; returns them."""
    return [job for job in unit.jobs.running() if gone(job.owner) and unit.jobs.rescue(job.id, job.epoch, job.beats)]
