"""Verification of the audit trail: it holds, or the first row that proves otherwise, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from domain.audit.merkle import EMPTY, parent
from domain.audit.record import GENESIS, Record, canonical, chain_hash


@dataclass(frozen=True)
class Verdict:
    """``rows`` that verify; ``head`` and ``root`` over them; where it broke, the row and the sentence."""

    rows: int
    head: str
    root: str
    broken_at: int | None = None
    why: str = ""

    @property
    def holds(self) -> bool:
        return self.broken_at is None


class Checker:
    """Takes records one by one, so that a million need no memory and a page can show how far it is."""

    def __init__(self) -> None:
        self.rows, self.head = 0, GENESIS
        self._peaks: list[tuple[int, bytes]] = []       # (level, hash) of the full subtrees so far, widest first

    def take(self, record: Record) -> str:
        """An empty sentence if ``record`` follows from all before it, else why it does not."""
        why = self._fault(record)
        if not why:
            self.rows, self.head = record.seq, record.hash
            self._grow(bytes.fromhex(record.hash))
        return why

    def root(self) -> str:
        if not self._peaks:
            return EMPTY.hex()
        digest = self._peaks[-1][1]
        for _, hash_ in reversed(self._peaks[:-1]):
            digest = parent(hash_, digest)
        return digest.hex()

    def _fault(self, record: Record) -> str:
        if record.seq != self.rows + 1:
            return f"Row {self.rows + 1:,} is missing: row {self.rows:,} is followed by row {record.seq:,}."
        if record.prev_hash != self.head:
            return f"Row {record.seq:,} does not follow row {self.rows:,}: it names another row before it."
        if chain_hash(record.seq, record.prev_hash, record.body) != record.hash:
            return f"Row {record.seq:,} no longer hashes to what was recorded for it."
        return _shape(record)

    def _grow(self, leaf: bytes) -> None:
        level, digest = 0, leaf
        while self._peaks and self._peaks[-1][0] == level:
            digest = parent(self._peaks.pop()[1], digest)
            level += 1
        self._peaks.append((level, digest))


def _shape(record: Record) -> str:
    try:
        body = json.loads(record.body)
        ours = isinstance(body, dict) and canonical(body).decode() == record.body
    except (ValueError, TypeError, RecursionError):
        ours = False
    if not ours:
        return f"Row {record.seq:,} is not canonical JSON."
    for column, value in (("event_id", record.event_id), ("ts", record.ts), ("actor", record.actor), ("kind", record.kind)):
        if body.get(column) != value:
            return f"Row {record.seq:,} shows {column} {value!r} beside its record, which says {body.get(column)!r}."
    return ""


def verify(records: Iterable[Record], expected_root: str | None = None, expected_rows: int | None = None) -> Verdict:
    """Verify every row of the trail; compare its root and length with those stored beside it, where they are given."""
    checker = Checker()
    for record in records:
        if why := checker.take(record):
            return Verdict(checker.rows, checker.head, checker.root(), checker.rows + 1, why + " Everything before it verifies.")
    return concluded(checker, expected_root, expected_rows)


def concluded(checker: Checker, expected_root: str | None, expected_rows: int | None) -> Verdict:
    rows, head, root = checker.rows, checker.head, checker.root()
    if expected_rows is not None and rows != expected_rows:
        return Verdict(rows, head, root, rows + 1, f"The trail ends at row {rows:,}, and its tree was built over {expected_rows:,} rows.")
    if expected_root is not None and root != expected_root:
        return Verdict(rows, head, root, rows, f"The tree over these {rows:,} rows is not the one that was kept beside them.")
    return Verdict(rows, head, root)
