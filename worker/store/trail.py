"""The audit trail in SQL: append-only, in one total order, without forks."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, CursorResult, func, select
from sqlalchemy.exc import DBAPIError

from domain.audit import GENESIS, AuditEvent, Record, root
from domain.audit.kinds import either_name
from worker.store.append import append_sqlite, broken, bytes_of
from worker.store.engine import quoted
from worker.store.schema import events, links, nodes
from worker.store.seals import Seals

PAGE = 5_000
FEW = 20                # events that are sent in one message with their lock


@dataclass(frozen=True)
class Filter:
    """Which events: each part that is given must fit. Times are ISO text, as stored."""

    since: str = ""
    until: str = ""
    kinds: tuple[str, ...] = ()
    actor: str = ""
    entity: str = ""
    text: str = ""


class Trail:
    """Events are buffered until the unit commits, so that the head is locked as briefly as possible."""

    def __init__(self, connection: Connection, seals: Seals | None = None) -> None:
        self._c, self._seals = connection, seals or Seals(connection)
        self._waiting: list[AuditEvent] = []

    def add(self, actor: str, kind: str, *entities: str, at: datetime, event_id: str = "", **detail: Any) -> None:
        """Record that ``kind`` happened. An ``event_id`` that is there already makes this a no-op."""
        self._waiting.append(AuditEvent(event_id or uuid.uuid4().hex, at, actor, kind, entities, detail))

    def flush(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Append what waits, with the seals of this unit. Raises ``TrailBroken`` where the stored trail takes no more."""
        waiting, self._waiting = self._waiting, []
        if self._seals.any:
            waiting = self._seals.onto(waiting, now())
        if not waiting:
            return
        try:
            (_append_postgres if self._c.dialect.name == "postgresql" else append_sqlite)(self._c, waiting)
        except DBAPIError as error:
            raise broken(error) from error

    # -- reading

    def count(self, wanted: Filter = Filter()) -> int:
        return self._c.scalar(_where(select(func.count()).select_from(events), wanted)) or 0

    def page(self, wanted: Filter = Filter(), limit: int = 50, offset: int = 0) -> list[Record]:
        """Newest first."""
        rows = self._c.execute(_where(select(events), wanted).order_by(events.c.seq.desc()).limit(limit).offset(offset))
        return [Record(**row) for row in rows.mappings()]

    def all(self, wanted: Filter = Filter(), after: int = 0) -> Iterator[Record]:
        """Oldest first, fetched in pages: a million need no memory."""
        while True:
            query = _where(select(events), wanted).where(events.c.seq > after).order_by(events.c.seq).limit(PAGE)
            page = [Record(**row) for row in self._c.execute(query).mappings()]
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].seq

    def rows(self, after: int, until: int) -> list[tuple[Any, ...]]:
        """The next rows up to number ``until``, one page of them, oldest first, as the driver reads them."""
        columns = "seq, event_id, ts, actor, kind, body, prev_hash, hash"
        result = self._c.exec_driver_sql(f"SELECT {columns} FROM audit_events WHERE seq > {after:d} AND seq <= {until:d} ORDER BY seq LIMIT {PAGE:d}")
        return raw(result)

    def head(self) -> tuple[int, str]:
        row = self._c.execute(select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)).one_or_none()
        return (row.seq, row.hash) if row else (0, GENESIS)

    def root(self, size: int | None = None) -> str:
        """The tree's root over the first ``size`` events, from the stored nodes."""
        return root(self.head()[0] if size is None else size, self.node).hex()

    def node(self, level: int, position: int) -> bytes:
        """Nothing where a node is missing or is no hash: a root over it is no root of ours."""
        leaf = select(events.c.hash).where(events.c.seq == position + 1)
        text = self._c.scalar(leaf if level == 0 else select(nodes.c.hash).where(nodes.c.level == level, nodes.c.position == position))
        return bytes_of(text)

    def nodes(self) -> int:
        """Number of stored tree nodes above the events; a complete tree over ``n`` events has ``n - n.bit_count()``."""
        return self._c.scalar(select(func.count()).select_from(nodes)) or 0

    def strays(self, rows: int) -> int:
        """Number of events and links outside of the numbers 1 to ``rows``."""
        outside = [select(func.count()).select_from(table).where(sa.or_(table.c.seq < 1, table.c.seq > rows)) for table in (events, links)]
        return sum(self._c.scalar(query) or 0 for query in outside)

    def kinds(self) -> list[str]:
        return self._distinct(events.c.kind)

    def actors(self) -> list[str]:
        return self._distinct(events.c.actor)

    def _distinct(self, column: Any) -> list[str]:
        """From value to next value along the index: as many steps as values, not as rows."""
        value = sa.select(func.min(column).label("value")).cte("value", recursive=True)
        following = select(func.min(column)).where(column > value.c.value).scalar_subquery()
        steps = value.union_all(select(following).where(value.c.value.is_not(None)))
        return list(self._c.scalars(select(steps.c.value).where(steps.c.value.is_not(None))))

    def per_hour(self, since: str, until: str) -> list[tuple[str, str, int]]:
        """``(hour, kind, events)``; the hour as ISO text up to the hour."""
        hour = func.substr(events.c.ts, 1, 13)
        query = select(hour, events.c.kind, func.count()).where(events.c.ts >= since, events.c.ts < until).group_by(hour, events.c.kind).order_by(hour)
        return [(h, kind, n) for h, kind, n in self._c.execute(query)]


def raw(result: CursorResult[Any]) -> list[tuple[Any, ...]]:
    """All rows as the driver reads them."""
    rows = list(result.cursor.fetchall()) if result.cursor is not None else []
    result.close()
    return rows


def _where(query: Any, wanted: Filter) -> Any:
    if wanted.since:
        query = query.where(events.c.ts >= wanted.since)
    if wanted.until:
        query = query.where(events.c.ts < wanted.until)
    if wanted.kinds:
        query = query.where(events.c.kind.in_(either_name(wanted.kinds)))
    if wanted.actor:
        query = query.where(events.c.actor == wanted.actor)
    if wanted.entity:
        query = query.where(events.c.seq.in_(select(links.c.seq).where(links.c.entity == wanted.entity)))
    if wanted.text:
        query = query.where(events.c.body.icontains(wanted.text, autoescape=True))
    return query


def _append_postgres(c: Connection, waiting: Sequence[AuditEvent]) -> None:
    """The lock is a statement of its own, so that the function after it reads what the last holder committed.

    Few events go with it in one message, two statements all the same: the lock is then not held while this process waits for its turn.
    """
    ids, bodies = [event.event_id for event in waiting], [event.body() for event in waiting]
    if len(waiting) > FEW:
        c.execute(sa.text("SELECT audit_lock()"))
        c.execute(sa.text("SELECT audit_append(:ids, :bodies)"), {"ids": ids, "bodies": bodies})
        return
    c.exec_driver_sql(f"SELECT audit_lock(); SELECT audit_append({quoted(ids)}, {quoted(bodies)})", execution_options={"no_parameters": True})
