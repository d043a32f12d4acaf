"""Messages to people, written in the transaction of what they tell of; another process sends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from worker.hidden import shown
from worker.store.engine import insert
from worker.store.schema import messages as table


@dataclass(frozen=True)
class Message:
    """``key``: the same one is written once. ``session``: empty where it is of none."""

    key: str
    severity: str
    text: str
    session: str = ""


@dataclass(frozen=True)
class WrittenMessage:
    number: int
    key: str
    severity: str
    session: str
    text: str
    at: datetime


class Messages:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def write(self, messages: Sequence[Message], at: datetime) -> None:
        """Those whose key is new."""
        if messages:
            self._c.execute(insert(self._c, table).on_conflict_do_nothing(), [dict(message.__dict__, text=shown(message.text), at=at) for message in messages])

    def after(self, number: int, limit: int = 500) -> list[WrittenMessage]:
        """Oldest first, those numbered above ``number``."""
        query = select(table).where(table.c.number > number).order_by(table.c.number).limit(limit)
        return [WrittenMessage(**row) for row in self._c.execute(query).mappings()]
