"""Tags and favourites of runs, and runs found by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Select, select

from worker.store.engine import insert
from worker.store.schema import run_favourites, run_tags, runs


@dataclass(frozen=True)
class RunQuery:
    """Which runs: all conditions together. ``text``: in title, name, note or id, in any case; ``tags``: all of them; ``favourite_of``: a person."""

    text: str = ""
    tags: Sequence[str] = ()
    favourite_of: str = ""

    def narrowed(self, query: Select) -> Select:
        for tag in self.tags:
            query = query.where(runs.c.id.in_(select(run_tags.c.run_id).where(run_tags.c.tag == tag)))
        if self.favourite_of:
            query = query.where(runs.c.id.in_(select(run_favourites.c.run_id).where(run_favourites.c.actor == self.favourite_of)))
        for word in self.text.split():
            query = query.where(sa.or_(*(column.icontains(word, autoescape=True) for column in (runs.c.title, runs.c.name, runs.c.note, runs.c.id))))
        return query


class RunMarks:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def set_tags(self, run_id: str, tags: Sequence[str], actor: str, at: datetime) -> None:
        """The tags of a run are these from now on."""
        self._c.execute(sa.delete(run_tags).where(run_tags.c.run_id == run_id, run_tags.c.tag.not_in(tags)))
        for tag in tags:
            self._c.execute(insert(self._c, run_tags).values(run_id=run_id, tag=tag, actor=actor, at=at).on_conflict_do_nothing())

    def tags_of(self, run_ids: Sequence[str]) -> dict[str, list[str]]:
        """Run id -> its tags, in order; runs without one are left out."""
        tags: dict[str, list[str]] = {}
        for run_id, tag in self._c.execute(select(run_tags.c.run_id, run_tags.c.tag).where(run_tags.c.run_id.in_(run_ids)).order_by(run_tags.c.tag)):
            tags.setdefault(run_id, []).append(tag)
        return tags

    def counts(self) -> Mapping[str, int]:
        """Tag -> number of runs, in the order of the tags."""
        query = select(run_tags.c.tag, sa.func.count()).group_by(run_tags.c.tag).order_by(run_tags.c.tag)
        return {tag: count for tag, count in self._c.execute(query)}

    def set_favourite(self, run_id: str, favourite: bool, actor: str, at: datetime) -> None:
        if favourite:
            self._c.execute(insert(self._c, run_favourites).values(run_id=run_id, actor=actor, at=at).on_conflict_do_nothing())
        else:
            self._c.execute(sa.delete(run_favourites).where(run_favourites.c.run_id == run_id, run_favourites.c.actor == actor))

    def favourites(self, run_ids: Sequence[str], actor: str) -> set[str]:
        """Those of the runs that are a favourite of ``actor``."""
        return set(self._c.scalars(select(run_favourites.c.run_id).where(run_favourites.c.run_id.in_(run_ids), run_favourites.c.actor == actor)))

    def remove(self, run_ids: Sequence[str]) -> None:
        """The runs are deleted."""
        for table in (run_tags, run_favourites):
            self._c.execute(sa.delete(table).where(table.c.run_id.in_(run_ids)))
