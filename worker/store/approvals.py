"""Changes that a second person decides on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.schema import approvals


@dataclass(frozen=True)
class Approval:
    """``verb``: part and method of the desk; ``person``: whose request it is, also where a program submitted it; ``state``: pending, approved, refused, withdrawn or expired."""

    id: str
    verb: str
    arguments: dict[str, Any]
    summary: str
    requested_by: str
    person: str
    role: str
    requested_at: datetime
    expires_at: datetime
    state: str
    decided_by: str
    decided_at: datetime | None
    note: str


class Approvals:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, approval: Approval) -> None:
        self._c.execute(sa.insert(approvals).values(**approval.__dict__))

    def get(self, approval_id: str, now: datetime) -> Approval | None:
        row = self._c.execute(select(approvals).where(approvals.c.id == approval_id)).mappings().one_or_none()
        return _read(row, now) if row else None

    def all(self, now: datetime, limit: int = 200) -> list[Approval]:
        """Newest first."""
        query = select(approvals).order_by(approvals.c.requested_at.desc(), approvals.c.id).limit(limit)
        return [_read(row, now) for row in self._c.execute(query).mappings()]

    def pending(self, now: datetime) -> list[Approval]:
        """Oldest first."""
        query = select(approvals).where(approvals.c.state == "pending", approvals.c.expires_at > now).order_by(approvals.c.requested_at, approvals.c.id)
        return [_read(row, now) for row in self._c.execute(query).mappings()]

    def decide(self, approval_id: str, state: str, who: str, at: datetime, note: str) -> bool:
        """False where it is not pending any more."""
        pending = sa.and_(approvals.c.id == approval_id, approvals.c.state == "pending", approvals.c.expires_at > at)
        return self._c.execute(sa.update(approvals).where(pending).values(state=state, decided_by=who, decided_at=at, note=note)).rowcount > 0


def _read(row: Any, now: datetime) -> Approval:
    expired = row["state"] == "pending" and row["expires_at"] <= now
    return Approval(**{**row, "state": "expired" if expired else row["state"]})
