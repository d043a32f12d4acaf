"""Catalogue of account histories. Their tables are frames, named by the hash of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from domain.audit import canonical, plain
from worker.store.engine import insert
from worker.store.ids import new_id
from worker.store.schema import account_histories as histories
from worker.store.seals import Seals


@dataclass(frozen=True)
class AccountHistory:
    """``frames``: points, trades and flows; ``rebuilt`` too, where the equity was rebuilt from bars."""

    id: str
    version: str
    name: str
    format: str
    source: str
    file: str
    account: str
    company: str
    currency: str
    clock: str
    initial: float
    balance: float
    trades: int
    flows: int
    first_ts: datetime
    last_ts: datetime
    knows: Sequence[str]
    findings: Sequence[Mapping[str, str]]
    frames: Mapping[str, str]
    bytes: int
    actor: str
    created_at: datetime
    example: bool


class AccountHistories:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def add(self, **values: Any) -> tuple[AccountHistory, bool]:
        """The new row and True; or the existing one of exactly this content and False."""
        while True:  # a concurrent insert is seen by the next read
            if stored := self._first(histories.c.version == values["version"]):
                return stored, False
            adding = (
                insert(self._c, histories)
                .values(id=new_id(), **values)
                .on_conflict_do_nothing()
                .returning(histories.c.id)
            )
            if history_id := self._c.scalar(adding):
                self._seals.put("history", history_id)
                return self._first(histories.c.id == history_id), True  # type: ignore[return-value]

    def get(self, name: str) -> AccountHistory | None:
        """By id, or by version. Raises ``Altered`` where the row is not the one that was recorded."""
        row = self._row(sa.or_(histories.c.id == name, histories.c.version == name))
        if row:
            self._seals.check("history", row["id"], row)
        return AccountHistory(**row) if row else None

    def as_stored(self, name: str) -> AccountHistory | None:
        """The same, altered or not, to delete it."""
        return self._first(sa.or_(histories.c.id == name, histories.c.version == name))

    def all(self) -> list[AccountHistory]:
        """Newest first."""
        query = select(histories).order_by(histories.c.created_at.desc(), histories.c.id)
        return [AccountHistory(**row) for row in self._c.execute(query).mappings()]

    def rename(self, history_id: str, name: str) -> bool:
        return self._c.execute(sa.update(histories).where(histories.c.id == history_id).values(name=name)).rowcount > 0

    def rebuilt(self, history_id: str, frame: str, finding: Mapping[str, str]) -> None:
        """Keep the equity that was rebuilt from bars, and the remarks on it, in place of an earlier one."""
        stored = self.get(history_id)
        if stored:
            findings = [*(dict(kept) for kept in stored.findings if kept["key"] != finding["key"]), dict(finding)]
            values = dict(frames={**stored.frames, "rebuilt": frame}, findings=findings)
            self._c.execute(sa.update(histories).where(histories.c.id == history_id).values(**values))
            self._seals.put("history", history_id)

    def remove(self, history_id: str) -> bool:
        removed = self._c.execute(sa.delete(histories).where(histories.c.id == history_id)).rowcount > 0
        if removed:
            self._seals.lift("history", history_id)
        return removed

    def frames(self) -> set[str]:
        return {frame for frames in self._c.scalars(select(histories.c.frames)) for frame in frames.values()}

    def _first(self, which: Any) -> AccountHistory | None:
        row = self._row(which)
        return AccountHistory(**row) if row else None

    def _row(self, which: Any) -> Any:
        return self._c.execute(select(histories).where(which)).mappings().one_or_none()


def version_of(frames: Mapping[str, str], initial: float, currency: str) -> str:
    """What names a history: a hash of its tables, its balance at the start and its currency."""
    return hashlib.sha256(
        b"account_history/v1\n" + canonical(plain(dict(frames=dict(frames), initial=initial, currency=currency)))
    ).hexdigest()
