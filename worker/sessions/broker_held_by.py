"""Who works on a session at a broker, and whether it still does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from worker.settings import Settings
from worker.store import Store
from worker.store.sessions import lease_of


@dataclass(frozen=True)
class Held:
    """Which runner's work it is: a session, its broker and the fencing token. ``refusal``: the kill switch."""

    store: Store
    settings: Settings
    name: str
    broker: str
    epoch: int
    refusal: Callable[[str], str]
    monotonic: Callable[[], float]

    def lost(self) -> bool:
        """Whether another runner holds the session by now."""
        with self.store.read() as unit:
            lease = unit.leases.get(lease_of(self.name))
        return lease is None or lease.epoch != self.epoch or lease.owner is None
