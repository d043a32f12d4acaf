"""Appending to the trail on SQLite: a batch is a few statements of the driver, however many events it has.

The chain and the tree are computed here, from the head and the frontier of full subtrees; on PostgreSQL a function of the
database does both (see ``worker.store.guards``), for there the program itself may not insert.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from domain.audit import GENESIS, AuditEvent, chain_hash
from domain.audit.merkle import parent
from domain.audit.record import instant, is_hash
from domain.errors import BadRequest

MOST_IDS = 500        # ids in one question
REFUSED = re.compile(r"append-only|is not the next|is not the head|is not of this row|audit_\w+\W.*does not exist|invalid hexadecimal|no such table: (main\.)?audit_|(uq|pk)_audit_|UNIQUE constraint failed: audit_")
HEAD = "SELECT seq, hash, EXISTS (SELECT 1 FROM audit_events WHERE event_id IN ({})) FROM audit_events ORDER BY seq DESC LIMIT 1"
EVENT = "INSERT INTO audit_events (seq, event_id, ts, actor, kind, body, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
LINK = "INSERT INTO audit_links (entity, seq) VALUES (?, ?)"
PEAKS = "WITH peak (level, position) AS (VALUES {}) SELECT n.level, n.hash FROM peak CROSS JOIN audit_nodes n ON n.level = peak.level AND n.position = peak.position"
NODE = "INSERT INTO audit_nodes (level, position, hash) VALUES (?, ?, ?)"


class TrailBroken(BadRequest):
    """The stored trail has no end that an event could follow."""


def broken(error: DBAPIError) -> DBAPIError | TrailBroken:
    """The sentence for a trail that the database itself refuses to continue; any other error as it is."""
    message = str(error.orig)
    if error.connection_invalidated or not REFUSED.search(message):
        return error
    return TrailBroken(f"The audit trail cannot be continued: the database refuses the next event ({message.strip().splitlines()[0]}). Nothing was written. Verify the trail, and restore the database from a backup")


def append_sqlite(c: Connection, waiting: Sequence[AuditEvent]) -> None:
    """Write those of ``waiting`` that are not there yet, in their order."""
    ids = tuple(event.event_id for event in waiting[:MOST_IDS])
    head = c.exec_driver_sql(HEAD.format(",".join("?" * len(ids))), ids).one_or_none()
    seq, hash_, known = (head[0], head[1], bool(head[2])) if head else (0, GENESIS, False)
    if not is_hash(hash_):
        raise TrailBroken(f"The audit trail cannot be continued: row {seq:,}, its last, holds no hash. Nothing was written. Verify the trail, and restore the database from a backup")
    tree = Frontier.read(c, seq, hash_)
    events, links, nodes = [], [], []
    for event in _unwritten(c, waiting, known or len(waiting) > MOST_IDS):
        previous, seq, body = hash_, seq + 1, event.body()
        hash_ = chain_hash(seq, previous, body)
        events.append((seq, event.event_id, instant(event.at), event.actor, event.kind, body, previous, hash_))
        links += [(entity, seq) for entity in dict.fromkeys(event.entities)]
        nodes += tree.grow(bytes.fromhex(hash_))
    for statement, rows in ((EVENT, events), (LINK, links), (NODE, nodes)):
        if rows:
            c.exec_driver_sql(statement, rows if len(rows) > 1 else rows[0])


def _unwritten(c: Connection, waiting: Sequence[AuditEvent], ask: bool) -> list[AuditEvent]:
    """Each event id once, and none that was written before; where none was, there is nothing to ask."""
    fresh = {event.event_id: event for event in reversed(waiting)}
    ids = list(fresh) if ask else []
    for start in range(0, len(ids), MOST_IDS):
        some = ids[start : start + MOST_IDS]
        marks = ",".join("?" * len(some))
        for (event_id,) in c.exec_driver_sql(f"SELECT event_id FROM audit_events WHERE event_id IN ({marks})", tuple(some)):
            del fresh[event_id]
    return list(fresh.values())[::-1]


def bytes_of(value: object) -> bytes:
    """Nothing where ``value`` is no hash: a root over it is no root of ours."""
    return bytes.fromhex(value) if isinstance(value, str) and is_hash(value) else b""


class Frontier:
    """The full subtrees over the first ``size`` leaves, widest first: all that appending needs of the tree."""

    def __init__(self, size: int, peaks: list[tuple[int, bytes]]) -> None:
        self._size, self._peaks = size, peaks

    @classmethod
    def read(cls, c: Connection, size: int, head: str) -> Frontier:
        """From the stored nodes; the lowest subtree of an odd number of leaves is the head itself."""
        places = [(level, (size >> level) - 1) for level in range(size.bit_length() - 1, 0, -1) if size >> level & 1]
        values = ",".join(f"({level},{position})" for level, position in places)
        stored = {level: hash_ for level, hash_ in c.exec_driver_sql(PEAKS.format(values))} if places else {}
        peaks = [(level, bytes_of(stored.get(level))) for level, _ in places]
        return cls(size, [*peaks, (0, bytes.fromhex(head))] if size & 1 else peaks)

    def grow(self, leaf: bytes) -> list[tuple[int, int, str]]:
        """Add a leaf; the nodes that it completes: level, position, hash."""
        level, digest, completed = 0, leaf, []
        while self._peaks and self._peaks[-1][0] == level:
            digest = parent(self._peaks.pop()[1], digest)
            level += 1
            completed.append((level, self._size >> level, digest.hex()))
        self._peaks.append((level, digest))
        self._size += 1
        return completed
