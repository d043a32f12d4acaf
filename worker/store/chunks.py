"""Parts of a job that several workers share. A part is done once; if its worker dies, another claims it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, and_, func, or_, select

from worker.store.engine import insert
from worker.store.schema import chunks, jobs, runs

PACE = "sweep_pace"     # a fact: strategy -> bars, and seconds that a combination took on them on one core in its last sweep


@dataclass(frozen=True)
class Chunk:
    job_id: str
    number: int
    units: int
    spec: Any
    holder: str | None
    frames: Mapping[str, str] | None
    result: Any
    done_at: datetime | None


class Chunks:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, job_id: str, rows: Sequence[tuple[int, int, Any]]) -> None:
        """``rows``: number, units, spec. Those that are there already stay as they are."""
        values = [dict(job_id=job_id, number=number, units=units, spec=spec) for number, units, spec in rows]
        if values:
            self._c.execute(insert(self._c, chunks).on_conflict_do_nothing(), values)

    def claim(self, job_id: str, holder: str) -> Chunk | None:
        """The first part that is neither done nor held by an attempt that is running. ``holder``: job and attempt, as ``id:epoch``."""
        first = _free(job_id)
        if self._c.dialect.name == "postgresql":
            first = first.with_for_update(skip_locked=True)
        number = self._c.scalar(first)
        if number is None:
            return None
        which = and_(chunks.c.job_id == job_id, chunks.c.number == number)
        self._c.execute(sa.update(chunks).where(which).values(holder=holder))
        return Chunk(**self._c.execute(select(chunks).where(which)).mappings().one())

    def free(self, job_id: str) -> bool:
        """Whether there is a part to claim."""
        return self._c.scalar(_free(job_id)) is not None

    def release(self, holder: str) -> None:
        """Release the unfinished parts of ``holder``."""
        self._c.execute(sa.update(chunks).where(chunks.c.holder == holder, chunks.c.done_at.is_(None)).values(holder=None))

    def finish(self, job_id: str, number: int, frames: Mapping[str, str], result: Any, at: datetime) -> bool:
        """False, and nothing is written, if the part was finished already by a worker thought dead."""
        open_ = and_(chunks.c.job_id == job_id, chunks.c.number == number, chunks.c.done_at.is_(None))
        return self._c.execute(sa.update(chunks).where(open_).values(frames=dict(frames), result=result, done_at=at)).rowcount > 0

    def all(self, job_id: str) -> list[Chunk]:
        """In the order of their numbers."""
        return [Chunk(**row) for row in self._c.execute(select(chunks).where(chunks.c.job_id == job_id).order_by(chunks.c.number)).mappings()]

    def counts(self, job_id: str) -> tuple[int, int, int]:
        """Parts that are left, units that are done, and units there are."""
        done = sa.case((chunks.c.done_at.is_(None), 0), else_=1)
        row = self._c.execute(select(func.count(), func.sum(done), func.sum(done * chunks.c.units), func.sum(chunks.c.units)).where(chunks.c.job_id == job_id)).one()
        return row[0] - int(row[1] or 0), int(row[2] or 0), int(row[3] or 0)

    def frames(self) -> set[str]:
        return {name for names in self._c.scalars(select(chunks.c.frames).where(chunks.c.done_at.is_not(None))) for name in (names or {}).values()}

    def files(self) -> set[str]:
        """Hashes of files that the results of finished parts name under ``files``."""
        results = self._c.scalars(select(chunks.c.result).where(chunks.c.done_at.is_not(None)))
        return {content for result in results if isinstance(result, dict) for content in (result.get("files") or {}).values()}

    def remove(self, job_id: str) -> None:
        self._c.execute(sa.delete(chunks).where(chunks.c.job_id == job_id))

    def forget(self, before: datetime) -> None:
        """Delete the parts of jobs that are deleted, or ended before then and were not resumed; those of a partial run stay as long as the run."""
        living = select(jobs.c.id).where(or_(jobs.c.ended_at.is_(None), jobs.c.ended_at >= before, jobs.c.id.in_(select(runs.c.job_id))))
        self._c.execute(sa.delete(chunks).where(chunks.c.job_id.not_in(living)))


def _free(job_id: str) -> Any:
    """The lease of a part is that of the job under which it is done: once that has another attempt, or ended, the part is free."""
    alive = select(jobs.c.id + ":" + sa.cast(jobs.c.epoch, sa.String)).where(jobs.c.state == "running")
    free = and_(chunks.c.job_id == job_id, chunks.c.done_at.is_(None), or_(chunks.c.holder.is_(None), chunks.c.holder.not_in(alive)))
    return select(chunks.c.number).where(free).order_by(chunks.c.number).limit(1)
