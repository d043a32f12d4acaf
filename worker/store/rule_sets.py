"""Rule sets that a person saved: append-only versions of a text, each with who saved it, when and why."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.schema import rule_sets
from worker.store.seals import Seals, digest_of_rule_set


@dataclass(frozen=True)
class RuleSetVersion:
    """``text``: TOML, as ``domain.compliance.load`` reads it. ``base``: the preset that it began from, or nothing.
    ``retired``: this version takes the rule set off the lists."""

    name: str
    version: int
    text: str
    digest: str
    base: str
    why: str
    actor: str
    created_at: datetime
    retired: bool


class RuleSets:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def add(self, name: str, text: str, base: str, why: str, actor: str, at: datetime, retired: bool = False) -> RuleSetVersion:
        """Append a version under ``name``. Whoever adds another at the same time waits (``Unit.alone_with``)."""
        newest = self.get(name)
        row: dict[str, Any] = dict(
            name=name, version=newest.version + 1 if newest else 1, text=text, digest=digest_of(text), base=base, why=why, actor=actor, created_at=at, retired=retired,
        )  # fmt: skip
        self._c.execute(sa.insert(rule_sets).values(**row))
        self._seals.put_hash(f"rule_set:{name}", digest_of_rule_set(self._c, name))
        return RuleSetVersion(**row)

    def get(self, name: str, version: int = 0) -> RuleSetVersion | None:
        """A version; the newest for 0. Raises ``Altered`` where the versions are not those that were recorded."""
        query = select(rule_sets).where(rule_sets.c.name == name).order_by(rule_sets.c.version.desc()).limit(1)
        row = self._c.execute(query.where(rule_sets.c.version == version) if version else query).mappings().one_or_none()
        if row:
            self._seals.check_hash(f"rule_set:{name}", f"Rule set {name}", lambda: digest_of_rule_set(self._c, name))
        return _read(row) if row else None

    def versions(self, name: str) -> list[RuleSetVersion]:
        """Newest first."""
        query = select(rule_sets).where(rule_sets.c.name == name).order_by(rule_sets.c.version.desc())
        return [_read(row) for row in self._c.execute(query).mappings()]

    def all(self) -> list[RuleSetVersion]:
        """The newest version of each name that is not retired, by name."""
        newest = select(rule_sets.c.name, sa.func.max(rule_sets.c.version).label("version")).group_by(rule_sets.c.name).subquery()
        query = select(rule_sets).join(newest, sa.and_(rule_sets.c.name == newest.c.name, rule_sets.c.version == newest.c.version))
        return [_read(row) for row in self._c.execute(query.order_by(rule_sets.c.name)).mappings() if not row["retired"]]


def digest_of(text: str) -> str:
    """SHA-256 of a rule set's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _read(row: Any) -> RuleSetVersion:
    return RuleSetVersion(**row)
