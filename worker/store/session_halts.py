"""The kill switch in the database: latched until a person releases it, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.schema import session_halts as table


@dataclass(frozen=True)
class Halt:
    """``session`` empty: all of them; ``strategy`` empty: all of the session. ``flatten``: positions are closed, too."""

    id: str
    session: str
    strategy: str
    flatten: bool
    by_file: bool
    who: str
    reason: str
    at: datetime
    released_at: datetime | None = None
    released_by: str | None = None
    release_reason: str | None = None

    def covers(self, session: str) -> bool:
        return self.session in ("", session)


class SessionHalts:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def latch(self, halt: Halt) -> bool:
        """False where that id is latched already, or was."""
        return self._c.scalar(insert(self._c, table).values(**halt.__dict__).on_conflict_do_nothing().returning(table.c.id)) is not None

    def latched(self) -> list[Halt]:
        query = select(table).where(table.c.released_at.is_(None)).order_by(table.c.at, table.c.id)
        return [Halt(**row) for row in self._c.execute(query).mappings()]

    def get(self, id_: str) -> Halt | None:
        row = self._c.execute(select(table).where(table.c.id == id_)).mappings().one_or_none()
        return Halt(**row) if row else None

    def release(self, ids: Sequence[str], who: str, reason: str, at: datetime) -> int:
        """How many of these were latched."""
        which = sa.and_(table.c.id.in_(ids), table.c.released_at.is_(None))
        return self._c.execute(sa.update(table).where(which).values(released_at=at, released_by=who, release_reason=reason)).rowcount

    def all(self) -> list[Halt]:
        """Newest first."""
        return [Halt(**row) for row in self._c.execute(select(table).order_by(table.c.at.desc(), table.c.id)).mappings()]
