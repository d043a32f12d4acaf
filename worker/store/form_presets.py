"""Settings of the backtest form under names that people gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.schema import form_presets
from worker.store.seals import Seals


@dataclass(frozen=True)
class FormPreset:
    """``settings``: the spec of a backtest without its data and period."""

    name: str
    settings: Mapping[str, Any]
    actor: str
    created_at: datetime


class FormPresets:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def put(self, name: str, settings: Mapping[str, Any], actor: str, at: datetime) -> None:
        """Save it under its name; one of that name is replaced."""
        values = dict(name=name, settings=dict(settings), actor=actor, created_at=at)
        self._c.execute(insert(self._c, form_presets).values(**values).on_conflict_do_update(index_elements=[form_presets.c.name], set_=values))
        self._seals.put("form_preset", name)

    def get(self, name: str) -> FormPreset | None:
        """Raises ``Altered`` where the row is not the one that was recorded."""
        row = self._row(name)
        if row:
            self._seals.check("form_preset", name, row)
        return FormPreset(**row) if row else None

    def as_stored(self, name: str) -> FormPreset | None:
        """The same, altered or not, to delete it or to replace it."""
        row = self._row(name)
        return FormPreset(**row) if row else None

    def names(self) -> list[str]:
        return list(self._c.scalars(select(form_presets.c.name).order_by(form_presets.c.name)))

    def remove(self, name: str) -> None:
        if self._c.execute(sa.delete(form_presets).where(form_presets.c.name == name)).rowcount:
            self._seals.lift("form_preset", name)

    def _row(self, name: str) -> Any:
        return self._c.execute(select(form_presets).where(form_presets.c.name == name)).mappings().one_or_none()
