"""Commands to sessions: submitted once by key, worked once, never changed. A runner picks them up wherever it is started again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from worker.store.engine import insert
from worker.store.schema import session_commands as table


@dataclass(frozen=True)
class StoredCommand:
    """``ts``: worked after the last instant up to then; none: as soon as it is seen. ``worked``: the time under which it stands on the tape. ``answer``: empty, or why it was refused."""

    session: str
    number: int
    key: str
    at: datetime
    ts: int | None
    who: str
    command: str
    arguments: Mapping[str, Any]
    reason: str
    worked: int | None = None
    answer: str | None = None


class SessionCommands:
    """Rows of one unit of work; whoever asks holds the session's row (``Sessions.lock``) so that numbers have no gap."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def ask(self, session: str, command: str, arguments: Mapping[str, Any], who: str, reason: str, key: str, at: datetime, ts: int | None = None) -> StoredCommand | None:
        """The command as it was written, or None where that key was used before."""
        number = (self._c.scalar(select(func.max(table.c.number)).where(table.c.session == session)) or 0) + 1
        stored = StoredCommand(session, number, key, at, ts, who, command, dict(arguments), reason)
        if self.find(session, key) is not None:
            return None
        self._c.execute(insert(self._c, table).values(**stored.__dict__))
        return stored

    def find(self, session: str, key: str) -> StoredCommand | None:
        row = self._c.execute(select(table).where(table.c.session == session, table.c.key == key)).mappings().one_or_none()
        return StoredCommand(**row) if row else None

    def waiting(self, sessions: Sequence[str] = ()) -> list[StoredCommand]:
        """Not worked yet, of these sessions or of all, each session's in the order of submission."""
        query = select(table).where(table.c.worked.is_(None), *([table.c.session.in_(sessions)] if sessions else [])).order_by(table.c.session, table.c.number)
        return [StoredCommand(**row) for row in self._c.execute(query).mappings()]

    def all(self, session: str) -> list[StoredCommand]:
        query = select(table).where(table.c.session == session).order_by(table.c.number)
        return [StoredCommand(**row) for row in self._c.execute(query).mappings()]

    def taped(self, session: str) -> list[StoredCommand]:
        """Those that were worked and not refused, as they stand on the tape: by time, then by number."""
        worked = [command for command in self.all(session) if command.worked is not None and not command.answer]
        return sorted(worked, key=lambda command: (command.worked, command.number))
