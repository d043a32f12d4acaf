"""The audit trail: events, their links, the Merkle tree above them, and its checkpoints."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from worker.store.schema.base import Instant, meta

events = Table(                                             # append-only; see domain/audit
    "audit_events", meta,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("event_id", String(128), nullable=False, unique=True),
    Column("ts", String(32), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
)  # fmt: skip
Index("ix_audit_events_actor_seq", events.c.actor, events.c.seq)
Index("ix_audit_events_kind_seq", events.c.kind, events.c.seq)
Index("ix_audit_events_ts_kind_seq", events.c.ts, events.c.kind, events.c.seq)

links = Table(                                              # the events of an entity
    "audit_links", meta,
    Column("entity", String(160), primary_key=True),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("audit_events.seq"), primary_key=True),
)  # fmt: skip
Index("ix_audit_links_seq_entity", links.c.seq, links.c.entity)

nodes = Table(                                              # the full nodes of the Merkle tree above the events
    "audit_nodes", meta,
    Column("level", Integer, primary_key=True),
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("hash", String(64), nullable=False),
)  # fmt: skip

checkpoints = Table(                                        # signed size and root of the audit trail; append-only but for old heartbeats
    "checkpoints", meta,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("size", BigInteger().with_variant(Integer, "sqlite"), nullable=False, index=True),
    Column("root", String(64), nullable=False),
    Column("key", String(8), nullable=False),               # id of the key that signed it
    Column("heartbeat", Boolean, nullable=False),           # size, root and key are those of the row before: nothing happened meanwhile
    Column("note", Text, nullable=False),                   # the signed note
)  # fmt: skip

checkpoint_receipts = Table(                                # who received a checkpoint; append-only but for those of old heartbeats
    "checkpoint_receipts", meta,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("receiver", String(300), primary_key=True),      # file, or the address of a witness
    Column("state", String(16), primary_key=True),          # stored cosigned refused
    Column("at", Instant, nullable=False),
    Column("heartbeat", Boolean, nullable=False),
    Column("text", Text, nullable=False),                   # of a file its path, of a witness its signature line or why it refused
)  # fmt: skip
