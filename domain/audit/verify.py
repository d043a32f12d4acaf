"""Verification of the audit trail: it holds, or the first row that proves otherwise, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.audit.merkle import EMPTY, parent
from domain.audit.record import GENESIS, LARGEST, Record, canonical_text, chain_hash


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

    def __init__(self, rows: int = 0, head: str = GENESIS, peaks: Sequence[tuple[int, bytes]] = ()) -> None:
        """From the start, or after ``rows`` rows that are trusted: ``head`` is the hash of the last of them, ``peaks`` the
        full subtrees over them, widest first, as ``(level, hash)``."""
        self.rows, self.head = rows, head
        self.body: dict[str, Any] = {}                  # of the record taken last
        self._peaks = list(peaks)
        self.nodes: list[tuple[int, int, bytes]] | None = None      # where a list is put here, it takes each node that is completed: level, position, hash

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
        if type(record.seq) is not int:
            return f"The row after row {self.rows:,} has no number: {_shown(record.seq)}."
        if record.seq != self.rows + 1:
            return f"Row {self.rows + 1:,} is missing: row {self.rows:,} is followed by row {record.seq:,}."
        if why := _no_text(record):
            return why
        if record.prev_hash != self.head:
            return f"Row {record.seq:,} does not follow row {self.rows:,}: it names another row before it."
        try:
            hash_ = chain_hash(record.seq, record.prev_hash, record.body)
        except UnicodeEncodeError:
            return f"Row {record.seq:,} is not canonical JSON: its body is no UTF-8."
        if hash_ != record.hash:
            return f"Row {record.seq:,} no longer hashes to what was recorded for it."
        return self._shape(record)

    def _shape(self, record: Record) -> str:
        body = body_of(record.body)
        if body is None:
            return f"Row {record.seq:,} is not canonical JSON."
        for column, value in (("event_id", record.event_id), ("ts", record.ts), ("actor", record.actor), ("kind", record.kind)):
            if body.get(column) != value:
                return f"Row {record.seq:,} shows {column} {value!r} beside its record, which says {body.get(column)!r}."
        self.body = body
        return ""

    def _grow(self, leaf: bytes) -> None:
        level, digest = 0, leaf
        while self._peaks and self._peaks[-1][0] == level:
            digest = parent(self._peaks.pop()[1], digest)
            level += 1
            if self.nodes is not None:
                self.nodes.append((level, (self.rows >> level) - 1, digest))
        self._peaks.append((level, digest))


def body_of(text: str) -> dict[str, Any] | None:
    """The document behind canonical bytes; None where they are no object, or not canonical.

    >>> body_of('{"a":1}'), body_of('{"a": 1}'), body_of('{"a":1.0}'), body_of('[]'), body_of('{"a":90071992547409920}')
    ({'a': 1}, None, None, None, None)
    """
    try:
        body = _DECODER.decode(text)
        return body if isinstance(body, dict) and canonical_text(body) == text else None
    except (ValueError, TypeError, RecursionError):
        return None


def _no_float(text: str) -> None:
    raise ValueError(text)


def _whole(text: str) -> int:
    if len(text) > len(str(-LARGEST)) or abs(value := int(text)) > LARGEST:
        raise ValueError(text)
    return value


_DECODER = json.JSONDecoder(parse_float=_no_float, parse_int=_whole, parse_constant=_no_float)
_TEXTS = ("event_id", "ts", "actor", "kind", "body", "prev_hash", "hash")


def _no_text(record: Record) -> str:
    """A row that an altered table or file can hold, and that no append writes."""
    if type(record.body) is type(record.hash) is type(record.prev_hash) is type(record.event_id) is type(record.ts) is type(record.actor) is type(record.kind) is str:
        return ""
    column = next(name for name in _TEXTS if type(getattr(record, name)) is not str)
    return f"Row {record.seq:,} has no text in {column}: {_shown(getattr(record, column))}."


def _shown(value: object) -> str:
    return "it is NULL" if value is None else f"it holds {type(value).__name__} {value!r:.40}"


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
