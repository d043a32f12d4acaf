"""The time of day that all machines on one database share."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

KEPT = 1.0              # seconds


class DatabaseClock:
    """The database's clock where workers may run on several machines, this machine's for SQLite. A server is queried once a second; in between
    this machine's steady clock carries on from its answer."""

    def __init__(self) -> None:
        self._answer: tuple[datetime, float] | None = None

    def now(self, connection: Connection) -> datetime:
        if connection.dialect.name != "postgresql":
            return datetime.now(UTC)
        if self._answer is None or time.monotonic() - self._answer[1] > KEPT:
            self._answer = connection.scalar(sa.text("SELECT clock_timestamp()")).astimezone(UTC), time.monotonic()
        answered, at = self._answer
        return answered + timedelta(seconds=time.monotonic() - at)
