"""Strategies that users wrote: append-only versions of a text, each with who saved it, when and why."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.schema import written_strategies as table


@dataclass(frozen=True)
class StrategyVersion:
    """``text``: JSON, as ``domain.strategies.definition`` reads it. ``retired``: this version takes the strategy off the lists."""

    name: str
    version: int
    text: str
    digest: str
    why: str
    actor: str
    created_at: datetime
    retired: bool


class WrittenStrategies:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, name: str, text: str, why: str, actor: str, at: datetime, retired: bool = False) -> StrategyVersion:
        """Append a version under ``name``. Whoever adds another at the same time waits (``Unit.alone_with``)."""
        newest = self.get(name)
        row: dict[str, Any] = dict(name=name, version=newest.version + 1 if newest else 1, text=text, digest=digest_of(text), why=why, actor=actor, created_at=at, retired=retired)
        self._c.execute(sa.insert(table).values(**row))
        return StrategyVersion(**row)

    def get(self, name: str, version: int = 0) -> StrategyVersion | None:
        """A version; the newest for 0."""
        query = select(table).where(table.c.name == name).order_by(table.c.version.desc()).limit(1)
        row = self._c.execute(query.where(table.c.version == version) if version else query).mappings().one_or_none()
        return StrategyVersion(**row) if row else None

    def versions(self, name: str) -> list[StrategyVersion]:
        """Newest first."""
        query = select(table).where(table.c.name == name).order_by(table.c.version.desc())
        return [StrategyVersion(**row) for row in self._c.execute(query).mappings()]

    def all(self) -> list[StrategyVersion]:
        """The newest version of each name that is not retired, by name."""
        newest = select(table.c.name, sa.func.max(table.c.version).label("version")).group_by(table.c.name).subquery()
        query = select(table).join(newest, sa.and_(table.c.name == newest.c.name, table.c.version == newest.c.version))
        return [StrategyVersion(**row) for row in self._c.execute(query.order_by(table.c.name)).mappings() if not row["retired"]]


def digest_of(text: str) -> str:
    """SHA-256 of a strategy's text."""
    return hashlib.sha256(text.encode()).hexdigest()
