"""Signed checkpoints of the audit trail, each with who received it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, func, select

from domain.audit.merkle import Node, consistency_proof, root
from domain.audit.note import Note, parse
from domain.audit.record import instant
from worker.store.schema import checkpoint_receipts as receipts
from worker.store.schema import checkpoints, events
from worker.store.trail import Trail

FILE = "file"           # the receiver that is the append-only file
STORED, COSIGNED, REFUSED = "stored", "cosigned", "refused"
HEARTBEATS_KEPT = timedelta(days=7)         # in the database; the file outside it keeps them all


@dataclass(frozen=True)
class SignedCheckpoint:
    """``note``: the signed note, without cosignatures. ``root``: hex. ``heartbeat``: size, root and key are those of the one before."""

    number: int
    at: datetime
    size: int
    root: str
    key: str
    heartbeat: bool
    note: str


@dataclass(frozen=True)
class Receipt:
    """``receiver`` (the file, or a witness by its address) stored, cosigned or refused checkpoint ``number``. ``text``: path, signature lines or reason."""

    number: int
    receiver: str
    state: str
    at: datetime
    text: str


class Checkpoints:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, size: int, root: str, key: str, note: str, at: datetime) -> SignedCheckpoint:
        """Append a checkpoint; one that repeats size, root and key of the one before it is a heartbeat."""
        last = self.latest()
        heartbeat = last is not None and (last.size, last.root, last.key) == (size, root, key)
        row = SignedCheckpoint(last.number + 1 if last else 1, at, size, root, key, heartbeat, note)
        self._c.execute(sa.insert(checkpoints).values(**row.__dict__))
        return row

    def latest(self) -> SignedCheckpoint | None:
        return next(iter(self._rows(select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1))), None)

    def get(self, number: int) -> SignedCheckpoint | None:
        return next(iter(self._rows(select(checkpoints).where(checkpoints.c.number == number))), None)

    def of_note(self, note: str, size: int) -> SignedCheckpoint | None:
        """The row of exactly this note."""
        return next(iter(self._rows(select(checkpoints).where(checkpoints.c.size == size, checkpoints.c.note == note).limit(1))), None)

    def page(self, limit: int = 50, before: int | None = None) -> list[SignedCheckpoint]:
        """Newest first; ``before``: only those with a smaller number."""
        query = select(checkpoints).order_by(checkpoints.c.number.desc()).limit(limit)
        return self._rows(query if before is None else query.where(checkpoints.c.number < before))

    def all(self, after: int = 0, heartbeats: bool = True, limit: int | None = None) -> list[SignedCheckpoint]:
        """Oldest first; without ``heartbeats`` one for each state of the trail that was signed."""
        query = select(checkpoints).where(checkpoints.c.number > after).order_by(checkpoints.c.number).limit(limit)
        return self._rows(query if heartbeats else query.where(sa.not_(checkpoints.c.heartbeat)))

    def count(self) -> int:
        return self._c.scalar(select(func.count()).select_from(checkpoints)) or 0

    def receive(self, checkpoint: SignedCheckpoint, receiver: str, state: str, text: str, at: datetime) -> None:
        """Record who received it; a second record of the same is a no-op."""
        key = (receipts.c.number == checkpoint.number, receipts.c.receiver == receiver, receipts.c.state == state)
        if not self._c.scalar(select(receipts.c.number).where(*key)):
            values = dict(number=checkpoint.number, receiver=receiver, state=state, at=at, heartbeat=checkpoint.heartbeat, text=text)
            self._c.execute(sa.insert(receipts).values(**values))

    def receipts(self, numbers: Iterable[int]) -> dict[int, list[Receipt]]:
        """Checkpoint -> who received it, in the order of time."""
        columns = [receipts.c[name] for name in ("number", "receiver", "state", "at", "text")]
        query = select(*columns).where(receipts.c.number.in_(list(numbers))).order_by(receipts.c.at, receipts.c.receiver)
        received: dict[int, list[Receipt]] = {}
        for row in self._c.execute(query).mappings():
            received.setdefault(row["number"], []).append(Receipt(**row))
        return received

    def latest_of(self, receiver: str, state: str) -> Receipt | None:
        """The newest receipt of ``receiver`` in this state."""
        columns = [receipts.c[name] for name in ("number", "receiver", "state", "at", "text")]
        query = select(*columns).where(receipts.c.receiver == receiver, receipts.c.state == state).order_by(receipts.c.number.desc()).limit(1)
        row = self._c.execute(query).mappings().one_or_none()
        return Receipt(**row) if row else None

    def forget_heartbeats(self, before: datetime) -> int:
        """Delete heartbeats signed before then, with their receipts; the newest checkpoint stays. The file keeps them all."""
        newest = select(func.max(checkpoints.c.number)).scalar_subquery()
        old = sa.and_(checkpoints.c.heartbeat, checkpoints.c.at < before, checkpoints.c.number < newest)
        numbers = list(self._c.scalars(select(checkpoints.c.number).where(old)))
        self._c.execute(sa.delete(receipts).where(receipts.c.heartbeat, receipts.c.number.in_(select(checkpoints.c.number).where(old))))
        self._c.execute(sa.delete(checkpoints).where(old))
        return len(numbers)

    def rows_until(self, at: datetime) -> int:
        """The last event of the trail that was recorded up to ``at``."""
        return self._c.scalar(select(func.max(events.c.seq)).where(events.c.ts <= instant(at))) or 0

    def bodies(self, after: int, limit: int) -> list[str]:
        """The exact bodies of the events after number ``after``, oldest first."""
        return list(self._c.scalars(select(events.c.body).where(events.c.seq > after).order_by(events.c.seq).limit(limit)))

    def seq_of(self, event_id: str, body: str) -> int:
        """The number of the event with this id, if it has this body; else 0."""
        return self._c.scalar(select(events.c.seq).where(events.c.event_id == event_id, events.c.body == body)) or 0

    def root(self, size: int) -> bytes:
        """The root over the first ``size`` events of the trail as it is now; only where it has so many."""
        return root(size, self.node())

    def proof(self, old: int, new: int) -> list[bytes]:
        """That the tree of ``old`` events is a prefix of the tree of ``new``, from the stored nodes; nothing to prove from none."""
        return consistency_proof(old, new, self.node()) if old else []

    def node(self) -> Node:
        return Trail(self._c).node

    def _rows(self, query: Any) -> list[SignedCheckpoint]:
        return [SignedCheckpoint(**row) for row in self._c.execute(query).mappings()]


def cosigned(checkpoint: SignedCheckpoint, received: Iterable[Receipt]) -> str:
    """The signed note with the signature lines of the witnesses that cosigned it.

    >>> from datetime import UTC
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> line = "\u2014 w AAAAAAA=\\n"
    >>> stored = SignedCheckpoint(1, at, 1, "", "", False, "text\\n\\n\u2014 log AQEBAQE=\\n")
    >>> print(cosigned(stored, [Receipt(1, "http://w", "cosigned", at, line), Receipt(1, "file", "stored", at, "f")]), end="")
    text
    <BLANKLINE>
    — log AQEBAQE=
    — w AAAAAAA=
    """
    note: Note = parse(checkpoint.note)
    for receipt in received:
        if receipt.state == COSIGNED:
            for signature in parse(f"{note.text}\n{receipt.text}").signatures:
                note = note.with_signature(signature)
    return note.render()
