"""Cost profiles saved by users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.schema import cost_profiles
from worker.store.seals import Seals


@dataclass(frozen=True)
class CostProfile:
    """``costs``: changed values of ``domain.trading.Costs``. ``instruments``: those it applies to; none: all. ``dated``: the day it is valid for, ISO."""

    name: str
    instruments: tuple[str, ...]
    costs: Mapping[str, Any]
    source: str
    dated: str
    actor: str
    created_at: datetime


class CostProfiles:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def put(self, name: str, instruments: Sequence[str], costs: Mapping[str, Any], source: str, dated: str, actor: str, at: datetime) -> None:
        """Save it under its name; one of that name is replaced."""
        values = dict(name=name, instruments=list(instruments), costs=dict(costs), source=source, dated=dated, actor=actor, created_at=at)
        self._c.execute(insert(self._c, cost_profiles).values(**values).on_conflict_do_update(index_elements=[cost_profiles.c.name], set_=values))
        self._seals.put("cost_profile", name)

    def get(self, name: str) -> CostProfile | None:
        """Raises ``Altered`` where the row is not the one that was recorded."""
        row = self._row(name)
        if row:
            self._seals.check("cost_profile", name, row)
        return _read(row) if row else None

    def as_stored(self, name: str) -> CostProfile | None:
        """The same, altered or not, to delete it, to replace it or to say what it is."""
        row = self._row(name)
        return _read(row) if row else None

    def _row(self, name: str) -> Any:
        return self._c.execute(select(cost_profiles).where(cost_profiles.c.name == name)).mappings().one_or_none()

    def all(self) -> list[CostProfile]:
        return [_read(row) for row in self._c.execute(select(cost_profiles).order_by(cost_profiles.c.name)).mappings()]

    def remove(self, name: str) -> None:
        if self._c.execute(sa.delete(cost_profiles).where(cost_profiles.c.name == name)).rowcount:
            self._seals.lift("cost_profile", name)


def _read(row: Any) -> CostProfile:
    return CostProfile(**{**row, "instruments": tuple(row["instruments"])})
