"""Catalogue of external data. The values are in a frame, named by the hash of its content; a new import is a new row, none is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.ids import new_id
from worker.store.schema import outside
from worker.store.seals import Seals


@dataclass(frozen=True)
class Outside:
    id: str
    kind: str
    name: str
    version: str
    rows: int
    first_ts: datetime
    last_ts: datetime
    source: str
    notes: Sequence[str]
    scorer: str
    frame: str
    bytes: int
    actor: str
    created_at: datetime
    example: bool


class Outsides:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def add(self, **values: Any) -> tuple[Outside, bool]:
        """The new row and True; or the newest of its kind and name, where that has exactly this content already, and False."""
        newest = self.newest(values["kind"], values["name"])
        if newest and newest.version == values["version"]:
            return newest, False
        while True:
            adding = insert(self._c, outside).values(id=new_id(), **values).on_conflict_do_nothing().returning(outside.c.id)
            if outside_id := self._c.scalar(adding):
                self._seals.put("outside", outside_id)
                return self._first(outside.c.id == outside_id), True      # type: ignore[return-value]

    def get(self, name: str) -> Outside | None:
        """By id, or by version. Raises ``Altered`` where the row is not the one that was recorded."""
        stored = self.as_stored(name)
        if stored:
            self._seals.check("outside", stored.id, stored.__dict__)
        return stored

    def as_stored(self, name: str) -> Outside | None:
        """The same, altered or not, to delete it or to say what it is."""
        return self._first(sa.or_(outside.c.id == name, outside.c.version == name))

    def newest(self, kind: str, name: str = "") -> Outside | None:
        """The one in use: of a kind and name, or of the kind, whatever its name."""
        return self._first(sa.and_(outside.c.kind == kind, outside.c.name == name) if name else outside.c.kind == kind)

    def all(self) -> list[Outside]:
        """By kind and name, the newest first."""
        query = select(outside).order_by(outside.c.kind, outside.c.name, outside.c.created_at.desc(), outside.c.id)
        return [Outside(**row) for row in self._c.execute(query).mappings()]

    def remove(self, outside_id: str) -> bool:
        removed = self._c.execute(sa.delete(outside).where(outside.c.id == outside_id)).rowcount > 0
        if removed:
            self._seals.lift("outside", outside_id)
        return removed

    def frames(self) -> set[str]:
        return set(self._c.scalars(select(outside.c.frame)))

    def _first(self, which: Any) -> Outside | None:
        row = self._c.execute(select(outside).where(which).order_by(outside.c.created_at.desc(), outside.c.id).limit(1)).mappings().one_or_none()
        return Outside(**row) if row else None


def version_of(kind: str, name: str, frame: str) -> str:
    """What names an import: a hash of its kind, its name and the hash of its frame."""
    return hashlib.sha256(f"outside/v1\n{kind}\n{name}\n{frame}".encode()).hexdigest()


def named_in(spec: Mapping[str, Any]) -> set[str]:
    """The versions of external data that a spec names.

    >>> sorted(named_in(dict(outside=dict(series=dict(VIX="aa", DXY="bb"), headlines="cc", releases="dd", impact="high")))), named_in({})
    (['aa', 'bb', 'cc', 'dd'], set())
    """
    parts = [part["outside"] for part in (spec, spec.get("target")) if isinstance(part, Mapping) and "outside" in part]      # a target: outcomes of trades
    return {version for versions in parts for version in (*versions.get("series", {}).values(), *(versions[kind] for kind in ("headlines", "releases") if kind in versions))}
