"""Rows of finished runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, select

from worker.store.engine import insert
from worker.store.former_summaries import current_summary
from worker.store.ids import new_id
from worker.store.listed import listed, readable_rows
from worker.store.outside import named_in
from worker.store.parts import part_of
from worker.store.run_marks import RunMarks, RunQuery
from worker.store.schema import runs
from worker.store.seals import Seals, readable


@dataclass(frozen=True)
class Run:
    id: str
    kind: str
    job_id: str
    name: str
    note: str
    title: str
    spec: Mapping[str, Any]
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    frames: Mapping[str, str]
    actor: str
    created_at: datetime
    example: bool
    synthetic: bool


def _run(row: Mapping[str, Any]) -> Run:
    return Run(**{**row, "summary": current_summary(row["summary"])})


class Runs:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def add(self, **values: Any) -> str:
        while True:
            row = {"name": "", "note": "", "example": False, "synthetic": False, **values, "id": new_id()}
            if run_id := self._c.scalar(insert(self._c, runs).values(**row).on_conflict_do_nothing().returning(runs.c.id)):
                self._seals.put("run", run_id)
                return run_id

    def get(self, run_id: str) -> Run | None:
        """Raises ``Altered`` where the row is not the one that was recorded."""
        row = self._row(run_id)
        if row:
            self._seals.check("run", run_id, row)
        return _run(row) if row else None

    def as_stored(self, run_id: str) -> Run | None:
        """The row, altered or not, to delete it or to say what it is."""
        row = self._row(run_id)
        return _run(row) if row else None

    def _row(self, run_id: str) -> Any:
        with readable("run", run_id):
            return self._c.execute(select(runs).where(runs.c.id == run_id)).mappings().one_or_none()

    def latest(self, kind: str = "", limit: int = 100, offset: int = 0) -> list[Run]:
        """Newest first, without those that were altered since they were recorded: ``altered`` names them."""
        return [_run(row) for row in listed(self._c, self._seals, "run", _newest(kind, limit, offset))[0]]

    def altered(self, kinds: Sequence[str] = (), limit: int = 100) -> dict[str, str]:
        """Run id -> what is wrong, of those of the latest runs of each kind (none: of all) that are not the ones that were recorded."""
        return {run_id: why for kind in kinds or ("",) for run_id, why in listed(self._c, self._seals, "run", _newest(kind, limit))[1].items()}

    def stored(self, kind: str = "", limit: int = 100) -> list[Run]:
        """Newest first, altered or not, to delete them; without those that cannot be read."""
        return [_run(row) for row in readable_rows(self._c, "run", _newest(kind, limit))[0]]

    def part(self, kinds: Sequence[str], limit: int, before: tuple[datetime, str] | None = None, since: datetime | None = None, until: datetime | None = None, query: RunQuery = RunQuery()) -> tuple[list[Run], dict[str, str], tuple[datetime, str] | None]:
        """Newest first, those after the run of that time and id; of the ``limit`` that are looked at the altered ones apart, and the place of the last where more may follow."""
        places = part_of(select(runs.c.created_at, runs.c.id), runs.c, limit, before, since, until)
        keys = [tuple(row) for row in self._c.execute(query.narrowed(places.where(runs.c.kind.in_(kinds)) if kinds else places))]
        those = select(runs).where(runs.c.id.in_([name for _, name in keys])).order_by(runs.c.created_at.desc(), runs.c.id)
        rows, altered = listed(self._c, self._seals, "run", those)
        return [_run(row) for row in rows], altered, keys[-1] if len(keys) == limit else None

    def count(self, kind: str = "", query: RunQuery = RunQuery()) -> int:
        """Of all kinds where none is named."""
        return self._c.scalar(query.narrowed(select(sa.func.count()).select_from(runs).where(runs.c.kind == kind if kind else sa.true()))) or 0

    def rename(self, run_id: str, name: str, note: str) -> bool:
        return self._c.execute(sa.update(runs).where(runs.c.id == run_id).values(name=name, note=note)).rowcount > 0

    def remove(self, run_ids: Sequence[str]) -> int:
        removed = list(self._c.scalars(sa.delete(runs).where(runs.c.id.in_(run_ids)).returning(runs.c.id)))
        self._seals.lift("run", *removed)
        RunMarks(self._c).remove(removed)
        return len(removed)

    def of_dataset(self, version: str) -> list[str]:
        """Runs that read this version of a dataset."""
        return [run_id for run_id, manifest in self._c.execute(select(runs.c.id, runs.c.manifest)) if version in manifest.get("data", [])]

    def of_outside(self, version: str) -> list[str]:
        """Runs that used this version of external data."""
        return [run_id for run_id, spec in self._c.execute(select(runs.c.id, runs.c.spec)) if version in named_in(spec)]

    def of_job(self, job_id: str) -> list[str]:
        """Runs that a job made."""
        return list(self._c.scalars(select(runs.c.id).where(runs.c.job_id == job_id)))

    def files(self) -> set[str]:
        """Hashes of the files that runs of training name under ``files`` of their summary."""
        summaries = self._c.scalars(select(runs.c.summary).where(runs.c.kind == "train"))
        return {content for summary in summaries for content in (summary.get("files") or {}).values()}

    def frames(self) -> set[str]:
        return {name for names in self._c.scalars(select(runs.c.frames)) for name in names.values()}


def _newest(kind: str, limit: int, offset: int = 0) -> Select:
    query = select(runs).order_by(runs.c.created_at.desc(), runs.c.id).limit(limit).offset(offset)
    return query.where(runs.c.kind == kind) if kind else query
