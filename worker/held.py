"""A checkpoint that somebody holds, against the trail in a database: what a trail that agrees with itself cannot show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from domain.audit.checkpoint import Checkpoint
from domain.audit.collection import split
from domain.audit.key_chain import KeyChain
from domain.errors import BadRequest
from worker.store import Store, Unit
from worker.store.engine import read_only


@dataclass(frozen=True)
class Held:
    """A checkpoint whose signature is valid under a key that its holder trusts."""

    checkpoint: Checkpoint

    @classmethod
    def of(cls, checkpoint: str, key: str) -> Held:
        """The last checkpoint of a file, by the key of another. BadRequest where it is none, or that key did not sign it."""
        note = next(iter(reversed(list(split(checkpoint)))), None)
        if note is None:
            raise BadRequest("the checkpoint file holds no signed checkpoint: a text, an empty line and signatures. Copy the whole file anew")
        return cls(KeyChain.parse(key.lstrip()).opened(note))

    def fault(self, unit: Unit) -> tuple[int, str]:
        """The row from which the trail is not the one that was signed, with the sentence; ``(0, "")`` where it is."""
        rows, size = unit.trail.head()[0], self.checkpoint.size
        if size > rows:
            span = f"row {size:,} is" if size == rows + 1 else f"rows {rows + 1:,} to {size:,} are"
            return rows + 1, f"The trail ends at row {rows:,}, and the checkpoint was signed over {size:,} rows: {span} missing."
        if unit.trail.root(size) != self.checkpoint.root.hex():
            return size, f"Row {size:,} or one before it is not the one that was signed: the first {size:,} rows are not those of the checkpoint."
        return 0, ""


def in_store(verdict: dict[str, Any], store: Store, held: Held) -> dict[str, Any]:
    """The verdict on this database, and on whether the held checkpoint is of it."""
    with store.read() as unit:
        return _with(verdict, unit, held)


def in_copy(verdict: dict[str, Any], path: Path, held: Held) -> dict[str, Any]:
    """The same of a copy, which is only read."""
    engine = read_only(path)
    try:
        with engine.connect() as connection, connection.begin():
            return _with(verdict, Unit(connection), held)
    finally:
        engine.dispose()


def _with(verdict: dict[str, Any], unit: Unit, held: Held) -> dict[str, Any]:
    """What the trail's own verification found comes first: where it holds, its stored tree is that of its rows."""
    try:
        row, why = held.fault(unit)
    except DBAPIError:          # the verdict says that there is no trail to be read
        row, why = 1, "The checkpoint is of a trail, and none can be read here."
    compared = dict(checkpoint=dict(size=held.checkpoint.size, root=held.checkpoint.root.hex(), agrees=not why))
    if not why:
        return verdict | compared
    first = {} if not verdict["holds"] else dict(broken_at=row, why=why)
    return verdict | first | dict(holds=False, faults=[*verdict["faults"], why]) | compared
