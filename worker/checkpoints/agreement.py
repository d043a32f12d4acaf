"""Whether the database still agrees with the last checkpoint that left it: it grew, it lost its end, or it is another trail."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.audit import verify_consistency
from domain.audit.checkpoint import Checkpoint
from domain.audit.key_chain import KeyChain
from domain.audit.keys import SigningKey
from domain.audit.note import sign
from worker.checkpoints.external_file import CheckpointFile, Entry
from worker.store import Unit

AGREES, LOST, DISAGREES = "agrees", "lost", "disagrees"
RESTORED = "tidemark-restored/v1"


@dataclass(frozen=True)
class Agreement:
    """``last``: the last checkpoint outside. ``rows``: events here. ``kept``: of those, how many are older than ``last``. ``why``: a sentence."""

    state: str
    last: Entry | None = None
    rows: int = 0
    kept: int = 0
    why: str = ""


def compared(unit: Unit, file: CheckpointFile, chains: Sequence[KeyChain]) -> Agreement:
    """The trail beside the checkpoint file.

    A restored database may have grown past the checkpoint before anyone looked: what was recorded after it stands where
    its events should. Events that are older than the checkpoint and not those that it covers are another trail.
    """
    rows, _ = unit.trail.head()
    last = file.last(chains)
    if last is None:
        return Agreement(AGREES, None, rows, rows)
    size = last.checkpoint.size
    if size <= rows and follows(unit, last.checkpoint, rows):
        return Agreement(AGREES, last, rows, rows)
    kept = min(rows, unit.checkpoints.rows_until(_time_of(last.checkpoint)))
    if size <= kept:
        return Agreement(DISAGREES, last, rows, kept, f"The trail does not follow from the checkpoint of {size:,} events that left it: its first {size:,} events, or the tree stored over them, are other ones.")
    base = file.newest_up_to(kept, chains)
    if base and not follows(unit, base.checkpoint, rows):
        size = base.checkpoint.size
        return Agreement(DISAGREES, last, rows, kept, f"The trail lost its end, and does not follow from the checkpoint of {size:,} events that left it: its first {size:,} events, or the tree stored over them, are other ones.")
    return Agreement(LOST, last, rows, kept, f"Events {kept + 1:,} to {last.checkpoint.size:,} are not in this database: it was restored from a backup, or its end was cut off.")


def follows(unit: Unit, checkpoint: Checkpoint, rows: int) -> bool:
    """Whether the first events of the trail, which has ``rows``, are those of ``checkpoint``, by the stored tree."""
    at, size = unit.checkpoints, checkpoint.size
    return verify_consistency(size, rows, checkpoint.root, at.root(rows), at.proof(size, rows))


def restored(agreement: Agreement, key: SigningKey) -> dict[str, Any]:
    """The detail of the event ``restored``: the last checkpoint outside, the lost range, and both in a note that the trail's key signs."""
    assert agreement.last is not None
    lost = agreement.last.checkpoint
    first = agreement.kept + 1
    text = f"{RESTORED}\n{lost.origin}\nlost {first}-{lost.size}\ncheckpoint {digest_of(agreement.last.note)}\n"
    return dict(
        sentence=f"Restored: events {first:,} to {lost.size:,} are lost", lost_first=first, lost_last=lost.size, kept=agreement.kept, rows=agreement.rows,
        checkpoint=agreement.last.note, size=lost.size, root=lost.root.hex(), statement=sign(text, key).render(),
    )  # fmt: skip


def digest_of(note: str) -> str:
    """SHA-256 of a signed note, by which events name it."""
    return hashlib.sha256(note.encode()).hexdigest()


def _time_of(checkpoint: Checkpoint) -> datetime:
    """The instant after everything that the checkpoint covers; its own time is in whole seconds."""
    if checkpoint.seconds is None:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.fromtimestamp(checkpoint.seconds, UTC) + timedelta(seconds=1)
