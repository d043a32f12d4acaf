"""Feature sets saved by users. The built-in sets are in ``domain.features``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.schema import recipes
from worker.store.seals import Seals


@dataclass(frozen=True)
class Recipe:
    """``columns``: each as ``domain.features.parse`` reads it, such as ``atr(14)@H1``."""

    name: str
    columns: tuple[str, ...]
    note: str
    actor: str
    created_at: datetime


class Recipes:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def put(self, name: str, columns: Sequence[str], note: str, actor: str, at: datetime) -> bool:
        """Save a feature set; True where the name is new, False where a set was replaced."""
        stored = self._row(name)
        values = dict(name=name, columns=list(columns), note=note, actor=actor, created_at=at)
        self._c.execute(insert(self._c, recipes).values(**values).on_conflict_do_update(index_elements=[recipes.c.name], set_=values))
        self._seals.put("recipe", name)
        return stored is None

    def get(self, name: str) -> Recipe | None:
        """Raises ``Altered`` where the row is not the one that was recorded."""
        row = self._row(name)
        if row:
            self._seals.check("recipe", name, row)
        return _read(row) if row else None

    def as_stored(self, name: str) -> Recipe | None:
        """The same, altered or not, to delete it, to replace it or to say what it is."""
        row = self._row(name)
        return _read(row) if row else None

    def _row(self, name: str) -> Any:
        return self._c.execute(select(recipes).where(recipes.c.name == name)).mappings().one_or_none()

    def all(self) -> list[Recipe]:
        return [_read(row) for row in self._c.execute(select(recipes).order_by(recipes.c.name)).mappings()]

    def remove(self, name: str) -> bool:
        removed = self._c.execute(sa.delete(recipes).where(recipes.c.name == name)).rowcount > 0
        if removed:
            self._seals.lift("recipe", name)
        return removed


def _read(row: Any) -> Recipe:
    return Recipe(**{**row, "columns": tuple(row["columns"])})
