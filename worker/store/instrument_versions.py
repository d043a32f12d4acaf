"""Instruments that people edited: append-only versions of a row, each with who saved it, when and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.schema import instrument_versions


@dataclass(frozen=True)
class InstrumentVersion:
    """``row``: the fields of ``domain.market.Instrument`` but its name."""

    name: str
    version: int
    row: Mapping[str, Any]
    why: str
    actor: str
    created_at: datetime


class InstrumentVersions:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, name: str, row: Mapping[str, Any], why: str, actor: str, at: datetime) -> InstrumentVersion:
        """Append a version. Whoever adds another at the same time waits (``Unit.alone_with``)."""
        versions = self.versions(name)
        values: dict[str, Any] = dict(name=name, version=versions[0].version + 1 if versions else 1, row=dict(row), why=why, actor=actor, created_at=at)
        self._c.execute(sa.insert(instrument_versions).values(**values))
        return InstrumentVersion(**values)

    def versions(self, name: str) -> list[InstrumentVersion]:
        """Newest first."""
        query = select(instrument_versions).where(instrument_versions.c.name == name).order_by(instrument_versions.c.version.desc())
        return [InstrumentVersion(**row) for row in self._c.execute(query).mappings()]

    def newest(self, at: datetime | None = None) -> dict[str, InstrumentVersion]:
        """The newest version of each edited instrument, by name; those until ``at``, where it is given."""
        query = select(instrument_versions).order_by(instrument_versions.c.name, instrument_versions.c.version)
        rows = self._c.execute(query.where(instrument_versions.c.created_at <= at) if at else query).mappings()
        return {row["name"]: InstrumentVersion(**row) for row in rows}
