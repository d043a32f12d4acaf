"""Reading the trail by its indices: pages by key, bounded counts, single events, days. Fluid at a million events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select, union_all

from domain.audit import Record
from domain.audit.kinds import either_name
from worker.store.schema import checkpoints, events, links
from worker.store.trail import Filter

SLACK = 10_000          # rows beyond a time's place in the sequence that are still compared: a clock may be set back
SHORT_HASH = re.compile(r"([0-9a-f]{4,})…([0-9a-f]{2,})")
HEX = re.compile(r"[0-9a-f]{8,64}")


class TrailIndex:
    """Questions of the Audit page and of ``tidemark audit replay``. ``seq`` is the key of every page."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def page(self, wanted: Filter = Filter(), limit: int = 50, before: int | None = None, after: int | None = None) -> list[Record]:
        """Newest first: the ``limit`` events below ``before``, or those directly above ``after``; without either the newest."""
        upwards = after is not None
        own = [events.c.seq > after] if after is not None else [events.c.seq < before] if before is not None else []
        query = self._matching([events], wanted, own, limit, upwards)
        rows = [Record(**row) for row in self._c.execute(query).mappings()]
        return rows[::-1] if upwards else rows

    def count(self, wanted: Filter = Filter(), most: int = 10_000) -> int:
        """How many events match: exact up to ``most``, and ``most + 1`` where there are more. All of them: the head's number."""
        if wanted == Filter():
            return self._c.scalar(select(func.max(events.c.seq))) or 0
        matching = self._matching([events.c.seq], wanted, [], most + 1, False).subquery()
        return self._c.scalar(select(func.count()).select_from(matching)) or 0

    def named(self, name: str) -> Record | None:
        """The event with this number, this id, or this hash."""
        plain = name.strip().replace(",", "")
        by = events.c.seq == int(plain) if plain.isdecimal() and len(plain) < 16 else or_(events.c.event_id == plain, events.c.hash == plain.lower())
        row = self._c.execute(select(events).where(by).limit(1)).mappings().one_or_none()
        return Record(**row) if row else None

    def days(self, since: str, until: str) -> list[tuple[str, str, int, int, int]]:
        """``(day, kind, events, first seq, last seq)`` in a span, oldest first; the day as ISO text."""
        day = func.substr(events.c.ts, 1, 10)
        query = select(day, events.c.kind, func.count(), func.min(events.c.seq), func.max(events.c.seq)).where(*_span(since, until))
        return [(at, kind, n, first, last) for at, kind, n, first, last in self._c.execute(query.group_by(day, events.c.kind).order_by(day, events.c.kind))]

    def checkpoint_times(self, since: datetime, until: datetime | None = None) -> list[datetime]:
        """When checkpoints were signed, from the last one before ``since`` on and up to ``until``."""
        at = checkpoints.c.at
        before = list(self._c.scalars(select(at).where(at < since).order_by(checkpoints.c.number.desc()).limit(1)))
        query = select(at).where(at >= since).order_by(at)
        return before + list(self._c.scalars(query if until is None else query.where(at < until)))

    def edges(self) -> tuple[str, str]:
        """Instants of the first and the last event; empty texts for an empty trail."""
        first, last = (self._c.scalar(select(events.c.ts).order_by(order).limit(1)) for order in (events.c.seq, events.c.seq.desc()))
        return first or "", last or ""

    def _matching(self, columns: Sequence[Any], wanted: Filter, own: Sequence[ColumnElement[bool]], limit: int, upwards: bool) -> Any:
        """The first ``limit`` rows; several kinds are each read along their own index and merged."""
        where, kinds = [*own, *self._conditions(wanted)], either_name(wanted.kinds)
        order = events.c.seq.asc() if upwards else events.c.seq.desc()

        def along(*more: ColumnElement[bool]) -> Any:
            return select(events.c.seq).where(*where, *more).order_by(order).limit(limit)

        if len(kinds) > 1:
            parts = [select(along(events.c.kind == kind).subquery().c.seq) for kind in kinds]
            where = [events.c.seq.in_(union_all(*parts))]
        elif kinds:
            where.append(events.c.kind == kinds[0])
        return select(*columns).where(*where).order_by(order).limit(limit)

    def _conditions(self, wanted: Filter) -> list[ColumnElement[bool]]:
        where = [*_span(wanted.since, wanted.until), *self._places(wanted)]
        if wanted.actor:
            where.append(events.c.actor == wanted.actor)
        if wanted.entity:
            where.append(events.c.seq.in_(select(links.c.seq).where(links.c.entity == wanted.entity)))
        if wanted.text:
            where.append(_text(wanted.text))
        return where

    def _places(self, wanted: Filter) -> list[ColumnElement[bool]]:
        """Bounds of the sequence that stand for the times, so that a page is read along the key and not along the clock."""
        places = []
        if wanted.since and (seq := self._c.scalar(select(events.c.seq).where(events.c.ts >= wanted.since).order_by(events.c.ts, events.c.seq).limit(1))):
            places.append(events.c.seq >= seq - SLACK)
        if wanted.until and (seq := self._c.scalar(select(events.c.seq).where(events.c.ts < wanted.until).order_by(events.c.ts.desc(), events.c.seq.desc()).limit(1))):
            places.append(events.c.seq <= seq + SLACK)
        return places


def _span(since: str, until: str) -> list[ColumnElement[bool]]:
    return [*([events.c.ts >= since] if since else []), *([events.c.ts < until] if until else [])]


def _text(text: str) -> ColumnElement[bool]:
    """In the canonical body; a hash, whole, from its beginning or as pages shorten it, is that of the event too."""
    inside: ColumnElement[bool] = events.c.body.icontains(text, autoescape=True)
    if short := SHORT_HASH.fullmatch(text):
        return events.c.hash.like(f"{short[1]}%{short[2]}")
    return or_(inside, events.c.hash.startswith(text)) if HEX.fullmatch(text) else inside
