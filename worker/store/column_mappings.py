"""Column mappings under names that people gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.schema import column_mappings
from worker.store.seals import Seals


@dataclass(frozen=True)
class StoredMapping:
    """``mapping``: as domain.market.readers.mapping reads it."""

    name: str
    mapping: Mapping[str, Any]
    actor: str
    created_at: datetime


class ColumnMappings:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def put(self, name: str, mapping: Mapping[str, Any], actor: str, at: datetime) -> None:
        """Save it under its name; one of that name is replaced."""
        values = dict(name=name, mapping=dict(mapping), actor=actor, created_at=at)
        self._c.execute(insert(self._c, column_mappings).values(**values).on_conflict_do_update(index_elements=[column_mappings.c.name], set_=values))
        self._seals.put("column_mapping", name)

    def get(self, name: str) -> StoredMapping | None:
        """Raises ``Altered`` where the row is not the one that was recorded."""
        row = self._row(name)
        if row:
            self._seals.check("column_mapping", name, row)
        return StoredMapping(**row) if row else None

    def as_stored(self, name: str) -> StoredMapping | None:
        """The same, altered or not, to delete it or to replace it."""
        row = self._row(name)
        return StoredMapping(**row) if row else None

    def all(self) -> list[StoredMapping]:
        """By name, altered or not."""
        return [StoredMapping(**row) for row in self._c.execute(select(column_mappings).order_by(column_mappings.c.name)).mappings()]

    def remove(self, name: str) -> None:
        if self._c.execute(sa.delete(column_mappings).where(column_mappings.c.name == name)).rowcount:
            self._seals.lift("column_mapping", name)

    def _row(self, name: str) -> Any:
        return self._c.execute(select(column_mappings).where(column_mappings.c.name == name)).mappings().one_or_none()
