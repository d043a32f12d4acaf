"""Seals: the hashes by which events name the rows that stand beside the trail.

The event that records a run, a dataset or any other sealed row carries, under ``seals``, the SHA-256 of the row's content;
the event that removes the row carries none for it. What people change, names and notes of runs, is not of the content: those
changes are events of their own. Rows from before seals are not covered, and are counted as such.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from domain.audit import AuditEvent, chain_hash, plain
from domain.errors import BadRequest
from worker.store.schema import (
    account_histories,
    column_mappings,
    cost_profiles,
    datasets,
    events,
    form_presets,
    jobs,
    links,
    model_stages,
    models,
    outside,
    recipes,
    rule_sets,
    runs,
)

MOST = 300      # seals of one event


@dataclass(frozen=True)
class Sealed:
    """A kind of sealed row: its table, the column that names it, its word, and the columns of its content."""

    table: Table
    key: str
    word: str
    columns: tuple[str, ...]


KINDS = {
    "run": Sealed(runs, "id", "run", ("id", "kind", "job_id", "title", "spec", "manifest", "summary", "frames", "actor", "created_at", "example", "synthetic")),
    "dataset": Sealed(
        datasets, "id", "dataset",
        ("id", "version", "instrument", "timeframe", "side", "source", "clock", "bars", "first_ts", "last_ts", "gaps", "spread", "verdict", "quality", "provenance", "frame", "ledger",
         "bytes", "actor", "created_at", "synthetic", "example"),
    ),
    "outside": Sealed(
        outside, "id", "external data",
        ("id", "kind", "name", "version", "rows", "first_ts", "last_ts", "source", "notes", "scorer", "frame", "bytes", "actor", "created_at", "example"),
    ),
    "recipe": Sealed(recipes, "name", "feature set", ("name", "columns", "note", "actor", "created_at")),
    "cost_profile": Sealed(cost_profiles, "name", "cost profile", ("name", "instruments", "costs", "source", "dated", "actor", "created_at")),
    "column_mapping": Sealed(column_mappings, "name", "column mapping", ("name", "mapping", "actor", "created_at")),
    "form_preset": Sealed(form_presets, "name", "form preset", ("name", "settings", "actor", "created_at")),
    "history": Sealed(
        account_histories, "id", "account history",
        ("id", "version", "format", "source", "file", "account", "company", "currency", "clock", "initial", "balance", "trades", "flows", "first_ts", "last_ts", "knows", "findings",
         "frames", "bytes", "actor", "created_at", "example"),
    ),
    "model": Sealed(
        models, "id", "model",
        ("id", "name", "version", "learner", "target", "run_id", "spec_hash", "digest", "files", "frames", "manifest", "scores", "synthetic", "actor", "created_at"),
    ),
    "model_stage": Sealed(model_stages, "id", "model stage", ("id", "model_id", "number", "stage", "at", "actor", "reason", "evidence")),
    "job": Sealed(jobs, "id", "job", ("id", "kind", "title", "spec", "actor", "created_at", "state", "result", "example")),
}  # fmt: skip


class Altered(BadRequest):
    """A stored row is not the one that was recorded."""


def digest(kind: str, row: Mapping[str, Any]) -> str:
    """SHA-256 of a row's content as it is read, times in UTC and numbers as text.

    >>> row = dict(name="mine", columns=["atr(14)"], note="", actor="ana", created_at=datetime(2026, 11, 20))
    >>> digest("recipe", row) == digest("recipe", row | dict(more=1)), digest("recipe", row) == digest("recipe", row | dict(note="x"))
    (True, False)
    """
    return _hash(kind, {name: row[name] for name in KINDS[kind].columns})


def digest_of_trials(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same of some rows of the ledger of trials, in their order."""
    return _hash("trials", [dict(row) for row in rows])


def digest_of_rule_set(c: Connection, name: str) -> str | None:
    """The same of all versions of a rule set together; None where there is none."""
    columns = [rule_sets.c[column] for column in ("name", "version", "text", "digest", "base", "why", "actor", "created_at", "retired")]
    rows = [dict(row) for row in c.execute(select(*columns).where(rule_sets.c.name == name).order_by(rule_sets.c.version)).mappings()]
    return _hash("rule_set", rows) if rows else None


def _hash(kind: str, content: Any) -> str:
    text = json.dumps(plain(content), sort_keys=True, separators=(",", ":"))       # ASCII: a text with a lone surrogate has a hash too
    return hashlib.sha256(f"row/v1\n{kind}\n{text}".encode()).hexdigest()


class Seals:
    """Collects the seals of a unit of work for its events, and compares rows with their seals on reading."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection
        self._waiting: dict[str, str | None] = {}

    def put(self, kind: str, name: str) -> None:
        """Seal the row as it is stored now."""
        sealed = KINDS[kind]
        row = self._c.execute(select(sealed.table).where(sealed.table.c[sealed.key] == name)).mappings().one()
        self._waiting[f"{kind}:{name}"] = digest(kind, dict(row))

    def put_hash(self, entity: str, hash_: str | None) -> None:
        self._waiting[entity] = hash_

    def lift(self, kind: str, *names: str) -> None:
        """The rows are removed."""
        self._waiting.update({f"{kind}:{name}": None for name in names})

    def onto(self, waiting: Sequence[AuditEvent], at: datetime) -> list[AuditEvent]:
        """The events with the seals of what they name; what none names gets an event of its own."""
        left, self._waiting = self._waiting, {}
        events_ = []
        for event in waiting:
            mine = {entity: left.pop(entity) for entity in event.entities if entity in left}
            events_.append(replace(event, detail={**event.detail, "seals": mine}) if mine else event)
        actor, names = (waiting[-1].actor if waiting else "tidemark"), list(left)
        for first in range(0, len(names), MOST):
            some = names[first : first + MOST]
            events_.append(AuditEvent(uuid.uuid4().hex, at, actor, "recorded", tuple(some), dict(seals={name: left[name] for name in some})))
        return events_

    def _now(self, kind: str, name: str) -> str | None:
        """The digest of the row as it is now: another may have replaced it since it was read."""
        table = KINDS[kind].table
        row = self._c.execute(select(table).where(table.c[KINDS[kind].key] == name)).mappings().one_or_none()
        return digest(kind, dict(row)) if row else None

    @property
    def any(self) -> bool:
        return bool(self._waiting)

    # -- reading

    def of(self, entity: str) -> tuple[int, str | None] | None:
        """Number of the event that sealed it last, and its hash; None where no event did. An event that no longer hashes to what was recorded counts as none of ours."""
        return self.of_many([entity]).get(entity)

    def of_many(self, entities: Sequence[str]) -> dict[str, tuple[int, str | None]]:
        """The same of many at once: only those that an event sealed."""
        seals: dict[str, tuple[int, str | None]] = {}
        query = select(events, links.c.entity).join(links, links.c.seq == events.c.seq).where(links.c.entity.in_(entities), events.c.body.contains('"seals":{')).order_by(links.c.seq.desc())
        for row in self._c.execute(query):
            if row.entity in seals:
                continue
            own = seals_of(row.body)
            if row.entity in own:
                intact = chain_hash(row.seq, row.prev_hash, row.body) == row.hash
                seals[row.entity] = row.seq, own[row.entity] if intact else "altered"
                if len(seals) == len(entities):
                    break
        return seals

    def check(self, kind: str, name: str, row: Mapping[str, Any]) -> None:
        """Raises ``Altered`` where the row is not the one that was recorded."""
        if f"{kind}:{name}" in self._waiting:       # written in this very unit
            return
        sealed = self.of(f"{kind}:{name}")
        if sealed and sealed[1] != digest(kind, row) and sealed[1] != self._now(kind, name):
            raise Altered(f"{KINDS[kind].word.capitalize()} {name} was altered since it was recorded: its content is not the one that event {sealed[0]:,} of the audit trail names, so it is not used. Restore the database from a backup, or delete it and make it again")

    def check_hash(self, entity: str, words: str, hash_: Callable[[], str | None]) -> None:
        """The same of rows that have one hash together; looked at twice, for another may add one in between."""
        if entity in self._waiting:
            return
        sealed = self.of(entity)
        if sealed and sealed[1] != hash_() and (sealed := self.of(entity)) and sealed[1] != hash_():
            raise Altered(f"{words} was altered since it was recorded: its content is not the one that event {sealed[0]:,} of the audit trail names, so it is not used. Restore the database from a backup, or save it under another name")


def unreadable(kind: str, name: str) -> str:
    """The sentence for a row whose columns cannot be read."""
    return f"{KINDS[kind].word.capitalize()} {name} was altered since it was recorded: its row cannot be read, so it is not used. Restore the database from a backup"


@contextmanager
def readable(kind: str, name: str) -> Iterator[None]:
    """A row that cannot even be read is one that was altered."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise Altered(unreadable(kind, name)) from error


def seals_of(body: str) -> Mapping[str, str | None]:
    try:
        document = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        return {}
    return seals_in(document)


def seals_in(document: Any) -> Mapping[str, str | None]:
    """The seals that an event's document carries."""
    detail = document.get("detail") if isinstance(document, dict) else None
    seals = detail.get("seals") if isinstance(detail, dict) else None
    return seals if isinstance(seals, dict) else {}
