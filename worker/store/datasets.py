"""Catalogue of bars. The bars themselves are in a frame, named by the hash of their content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.ids import new_id
from worker.store.listed import listed, readable_rows
from worker.store.schema import datasets
from worker.store.seals import Seals, readable

ALL = select(datasets).order_by(datasets.c.example, datasets.c.instrument, datasets.c.timeframe, datasets.c.first_ts, datasets.c.id)


@dataclass(frozen=True)
class Dataset:
    id: str
    version: str
    instrument: str
    timeframe: str
    side: str
    source: str
    clock: str
    bars: int
    first_ts: datetime
    last_ts: datetime
    gaps: int
    spread: float | None
    verdict: str
    quality: Mapping[str, Any]
    provenance: Mapping[str, Any]
    frame: str
    ledger: str | None
    bytes: int
    actor: str
    created_at: datetime
    synthetic: bool
    example: bool


class Datasets:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def add(self, **values: Any) -> tuple[Dataset, bool]:
        """The new dataset and True; or the existing dataset of exactly this content and False."""
        while True:         # a concurrent insert is found by the next read
            if stored := self._first(datasets.c.version == values["version"]):
                return stored, False
            adding = insert(self._c, datasets).values(id=new_id(), **values).on_conflict_do_nothing().returning(datasets.c.id)
            if dataset_id := self._c.scalar(adding):
                self._seals.put("dataset", dataset_id)
                return self._first(datasets.c.id == dataset_id), True     # type: ignore[return-value]

    def get(self, name: str) -> Dataset | None:
        """By id, or by version. Raises ``Altered`` where the row is not the one that was recorded."""
        stored = self.as_stored(name)
        if stored:
            self._seals.check("dataset", stored.id, stored.__dict__)
        return stored

    def as_stored(self, name: str) -> Dataset | None:
        """The same, altered or not, to delete it or to say what it is."""
        with readable("dataset", name):
            return self._first(sa.or_(datasets.c.id == name, datasets.c.version == name))

    def all(self) -> list[Dataset]:
        """Altered or not, without those that cannot be read: ``altered`` names both."""
        return [Dataset(**row) for row in readable_rows(self._c, "dataset", ALL)[0]]

    def altered(self) -> dict[str, str]:
        """Dataset id -> what is wrong, of those that are not the ones that were recorded."""
        return listed(self._c, self._seals, "dataset", ALL)[1]

    def remove(self, dataset_id: str) -> bool:
        removed = self._c.execute(sa.delete(datasets).where(datasets.c.id == dataset_id)).rowcount > 0
        if removed:
            self._seals.lift("dataset", dataset_id)
        return removed

    def frames(self) -> set[str]:
        rows = self._c.execute(select(datasets.c.frame, datasets.c.ledger))
        return {frame for row in rows for frame in row if frame}

    def _first(self, which: Any) -> Dataset | None:
        row = self._c.execute(select(datasets).where(which)).mappings().one_or_none()
        return Dataset(**row) if row else None
