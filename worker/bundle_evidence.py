"""What a bundle of the audit trail takes from beside the trail: signed checkpoints and public keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.audit import bundle
from domain.audit.bundle import Point
from domain.audit.collection import split
from domain.errors import BadRequest
from worker.store import Unit
from worker.store.checkpoints import Receipt, SignedCheckpoint, cosigned

COSIGNED = 100          # newest checkpoints that carry their witnesses' signatures


@dataclass(frozen=True)
class Evidence:
    """What a bundle takes from beside the trail: signed notes, oldest first, and the public keys' text (empty: no key yet)."""

    notes: tuple[str, ...] = ()
    keys: str = ""

    @property
    def points(self) -> list[Point]:
        """Those that are checkpoints; a garbage row of the table is none."""
        return bundle.one_a_size(_points(self.notes))


def evidence_of(unit: Unit, keys: str, content: str = "") -> Evidence:
    """The checkpoints of the workspace, the newest with the signatures of witnesses, and the keys that are given.

    ``content``: the text of a checkpoint, or of several, that somebody holds; the proofs then lead to the last of them.
    """
    rows = unit.checkpoints.all(heartbeats=False)
    latest = unit.checkpoints.latest()
    rows += [latest] if latest and latest not in rows[-1:] else []
    received = unit.checkpoints.receipts([row.number for row in rows[-COSIGNED:]])
    notes = [row.note for row in rows[:-COSIGNED]]
    for row in rows[-COSIGNED:]:
        notes.append(_cosigned(row, received.get(row.number, [])))
    return Evidence((*notes, *([point_of(content, unit.trail.head()[0]).note] if content else ())), keys)


def point_of(content: str, rows: int) -> Point:
    """The last checkpoint in a file that somebody holds. BadRequest where it holds none, or one over more than ``rows``."""
    note = next(iter(reversed(list(split(content)))), None)
    if note is None:
        raise BadRequest("the checkpoint file holds no signed checkpoint: a text, an empty line and signatures. Copy the whole file anew")
    point = Point.of(note)
    if point.checkpoint.size > rows:
        raise BadRequest(
            f"the checkpoint is over {point.checkpoint.size:,} rows, and the trail here has {rows:,}: "
            f"rows {rows + 1:,} to {point.checkpoint.size:,} are missing, or it is of another trail"
        )
    return point


def _cosigned(row: SignedCheckpoint, received: Sequence[Receipt]) -> str:
    """A garbage note stays as it is; the bundle leaves it out."""
    try:
        return cosigned(row, received)
    except BadRequest:
        return row.note


def _points(notes: Iterable[str]) -> Iterator[Point]:
    for note in notes:
        try:
            yield Point.of(note)
        except BadRequest:
            continue
