"""Leases of long-lived processes, such as a paper session: one holder at a time, a token that fences off the previous holder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, and_, select

from worker.owner import gone
from worker.store.engine import insert
from worker.store.schema import leases


@dataclass(frozen=True)
class Lease:
    """``epoch`` is the fencing token: how often it was taken. ``beats`` grows while its holder lives."""

    name: str
    owner: str | None
    epoch: int
    beats: int


class Leases:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def take(self, name: str, owner: str) -> Lease | None:
        """The lease, if it is free. ``owner`` holds it until it is released, or the holder is found dead or silent."""
        self._c.execute(insert(self._c, leases).values(name=name, owner=None, epoch=0, beats=0).on_conflict_do_nothing())
        free = and_(leases.c.name == name, leases.c.owner.is_(None))
        return self.get(name) if self._set(free, owner=owner, epoch=leases.c.epoch + 1, beats=0) else None

    def beat(self, name: str, epoch: int) -> bool:
        """A heartbeat; False if another holder has it now, so nothing may be written under it."""
        return self._set(_owned_by(name, epoch), beats=leases.c.beats + 1)

    def beat_all(self, owner: str) -> None:
        """A heartbeat of every lease that ``owner`` holds."""
        self._c.execute(sa.update(leases).where(leases.c.owner == owner).values(beats=leases.c.beats + 1))

    def release(self, name: str, epoch: int) -> bool:
        return self._set(_owned_by(name, epoch), owner=None)

    def free(self, name: str, epoch: int, beats: int) -> bool:
        """Free the lease of a dead or silent holder, unless its heartbeat changed meanwhile."""
        return self._set(and_(_owned_by(name, epoch), leases.c.beats == beats), owner=None)

    def get(self, name: str) -> Lease | None:
        row = self._c.execute(select(leases).where(leases.c.name == name)).mappings().one_or_none()
        return Lease(**row) if row else None

    def held(self, name: str) -> bool:
        """Whether somebody holds it who has not ended, as far as this machine knows."""
        lease = self.get(name)
        return lease is not None and lease.owner is not None and not gone(lease.owner)

    def owned(self) -> list[Lease]:
        return [Lease(**row) for row in self._c.execute(select(leases).where(leases.c.owner.is_not(None))).mappings()]

    def _set(self, which: Any, **values: Any) -> bool:
        return self._c.execute(sa.update(leases).where(which).values(**values)).rowcount > 0


def _owned_by(name: str, epoch: int) -> Any:
    return and_(leases.c.name == name, leases.c.epoch == epoch, leases.c.owner.is_not(None))
