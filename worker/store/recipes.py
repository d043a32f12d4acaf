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


@dataclass(frozen=True)
class Recipe:
    """``columns``: each as ``domain.features.parse`` reads it, such as ``atr(14)@H1``."""

    name: str
    columns: tuple[str, ...]
    note: str
    actor: str
    created_at: datetime


class Recipes:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def put(self, name: str, columns: Sequence[str], note: str, actor: str, at: datetime) -> bool:
        """Save a feature set; True where the name is new, False where a set was replaced."""
        stored = self.get(name)
        values = dict(name=name, columns=list(columns), note=note, actor=actor, created_at=at)
        self._c.execute(insert(self._c, recipes).values(**values).on_conflict_do_update(index_elements=[recipes.c.name], set_=values))
        return stored is None

    def get(self, name: str) -> Recipe | None:
        row = self._c.execute(select(recipes).where(recipes.c.name == name)).mappings().one_or_none()
        return _read(row) if row else None

    def all(self) -> list[Recipe]:
        return [_read(row) for row in self._c.execute(select(recipes).order_by(recipes.c.name)).mappings()]

    def remove(self, name: str) -> bool:
        return self._c.execute(sa.delete(recipes).where(recipes.c.name == name)).rowcount > 0


def _read(row: Any) -> Recipe:
    return Recipe(**{**row, "columns": tuple(row["columns"])})
