"""Trails in memory, with the tree beside them, and bundles made of them: what the store gives to the bundle's writer."""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

from domain.audit import GENESIS, AuditEvent, Record, chain_hash, grown, root
from domain.audit.checkpoint import Checkpoint
from domain.audit.keys import SigningKey
from domain.audit.record import instant
from domain.audit.verifier import verify
from worker.bundle import write
from worker.bundle_evidence import Evidence
from worker.store import Filter

BEGAN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECONDS = int(BEGAN.timestamp())
KEY, STRANGER = SigningKey("tidemark.example/a", bytes([7] * 32)), SigningKey("tidemark.example/a", bytes([8] * 32))
WORDS = ("=1+1", "naïve, \"quoted\"", "line\nbreak", "\u2028x", "\U0001f600", "\ufffd", "plain")


def records(count: int, seed: int = 0) -> list[Record]:
    """A chain of ``count`` events, with texts that are hard to write."""
    rng, created, head = random.Random(seed), list[Record](), GENESIS
    for seq in range(1, count + 1):
        detail = {"price": str(rng.randint(1, 10**6)), "n": rng.randint(-(2**53) + 1, 2**53 - 1), rng.choice(WORDS): [rng.choice(WORDS), None, True]}
        event = AuditEvent(f"e{seq}", BEGAN + timedelta(seconds=seq), rng.choice(("ana", "=cmd", "algo breakout")), rng.choice(("order_filled", "run_finished")), (f"run:{seq % 3}",), detail)
        created.append(record(seq, head, event))
        head = created[-1].hash
    return created


def record(seq: int, head: str, event: AuditEvent) -> Record:
    body = event.body()
    return Record(seq, event.event_id, instant(event.at), event.actor, event.kind, body, head, chain_hash(seq, head, body))


def chained(rows: Sequence[Record], first: int = 1) -> list[Record]:
    """The same bodies from row ``first`` on, numbered and hashed anew."""
    head = rows[first - 2].hash if first > 1 else GENESIS
    created = list(rows[: first - 1])
    for seq, row in enumerate(rows[first - 1 :], first):
        created.append(replace(row, seq=seq, prev_hash=head, hash=chain_hash(seq, head, row.body)))
        head = created[-1].hash
    return created


@dataclass
class Memory:
    """``Unit.trail`` over a list of rows."""

    rows: list[Record]

    def __post_init__(self) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        for index, row in enumerate(self.rows):
            leaf = self.nodes[0, index] = bytes.fromhex(row.hash)
            for level, position, digest in grown(index, leaf, lambda at, position: self.nodes[at, position]):
                self.nodes[level, position] = digest

    def node(self, level: int, position: int) -> bytes:
        return self.nodes.get((level, position), b"")

    def head(self) -> tuple[int, str]:
        return (self.rows[-1].seq, self.rows[-1].hash) if self.rows else (0, GENESIS)

    def root(self, size: int | None = None) -> str:
        return root(len(self.rows) if size is None else size, self.node).hex()

    def _fitting(self, wanted: Filter) -> Iterator[Record]:
        for row in self.rows:
            entities = json.loads(row.body)["entities"] if wanted.entity else ()
            if (not wanted.since or row.ts >= wanted.since) and (not wanted.until or row.ts < wanted.until) and (not wanted.entity or wanted.entity in entities):
                yield row

    def all(self, wanted: Filter = Filter(), after: int = 0) -> Iterator[Record]:
        return (row for row in self._fitting(wanted) if row.seq > after)

    def page(self, wanted: Filter = Filter(), limit: int = 50) -> list[Record]:
        return list(self._fitting(wanted))[::-1][:limit]

    def count(self, wanted: Filter = Filter()) -> int:
        return sum(1 for _ in self._fitting(wanted))


def signed(rows: Sequence[Record], size: int, key: SigningKey = KEY) -> str:
    """The checkpoint over the first ``size`` rows, as a note."""
    digest = bytes.fromhex(Memory(list(rows)).root(size))
    return Checkpoint(KEY.name, size, digest, SECONDS + size).signed(key).render()


def bundled(rows: Sequence[Record], path: Path, notes: Iterable[str] = (), wanted: Filter = Filter(), keys: str = f"{KEY.verifier.text}\n", tree: Sequence[Record] = ()) -> Path:
    """The bundle's ZIP file; ``tree``: the rows that the stored tree is of, where it is not of these."""
    trail = Memory(list(rows))
    trail.nodes = Memory(list(tree)).nodes if tree else trail.nodes
    unit = SimpleNamespace(trail=trail)
    write(unit, path, wanted, Evidence(tuple(notes), keys), dict(made_at="2026-11-20T12:00:00Z"))
    return path


def unpacked(path: Path, folder: Path) -> Path:
    with ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def verified(*arguments: object) -> tuple[int, str]:
    """Exit status and what was printed, by the verifier in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = verify.main([str(argument) for argument in arguments])
    return status, out.getvalue()
