"""Which process holds the trail's key, or another thing of one holder: one at a time, by a lease in the database."""

from __future__ import annotations

import time
from collections.abc import Callable

from worker.owner import OWNER, gone
from worker.store import Store, Unit

LEASE = "audit_key"
BEAT_EVERY = 1.5        # seconds, at least


class Holder:
    """A lease, that of the key unless another is named, as this process sees it."""

    def __init__(self, store: Store, owner: str = OWNER, clock: Callable[[], float] = time.monotonic, lease: str = LEASE) -> None:
        self._store, self._owner, self._clock, self._lease = store, owner, clock, lease
        self._epoch = 0
        self._looked: float | None = None

    def holds(self) -> bool:
        """Whether this process holds the lease, after taking it where it is free or its holder is gone."""
        if self._looked is not None and self._clock() - self._looked < BEAT_EVERY:
            return bool(self._epoch)
        with self._store.unit() as unit:
            if not self.fenced(unit):
                self._epoch = self._taken(unit)
        self._looked = self._clock()
        return bool(self._epoch)

    def fenced(self, unit: Unit) -> bool:
        """Inside a unit of work: whether the lease is still this process's. Nothing is signed where it is not."""
        if self._epoch and not unit.leases.beat(self._lease, self._epoch):
            self._epoch = 0
        return bool(self._epoch)

    def release(self) -> None:
        if self._epoch:
            with self._store.unit() as unit:
                unit.leases.release(self._lease, self._epoch)
        self._epoch, self._looked = 0, None

    def _taken(self, unit: Unit) -> int:
        lease = unit.leases.get(self._lease)
        if lease and gone(lease.owner):
            unit.leases.free(self._lease, lease.epoch, lease.beats)
        taken = unit.leases.take(self._lease, self._owner) if lease is None or lease.owner is None or gone(lease.owner) else None
        return taken.epoch if taken else 0
