"""The append-only file outside the database that every checkpoint is written to, one signed note after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.audit.checkpoint import Checkpoint, read
from domain.audit.collection import split
from domain.audit.key_chain import KeyChain
from domain.audit.note import parse
from domain.errors import BadRequest
from worker.checkpoints import durable

TAILS = (65_536, 4_194_304)         # bytes from the end of a file that may be large: hours, and weeks of heartbeats


@dataclass(frozen=True)
class Entry:
    """A checkpoint that a key of ours signed. ``foreign``: how many notes after it none of our keys signed."""

    note: str
    checkpoint: Checkpoint
    foreign: int = 0


class CheckpointFile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, notes: Sequence[str]) -> None:
        """Append and return once they are on the disk. What a crash cut off stays, and ends there."""
        torn = b"\n\n" if self._torn() else b""
        durable.append(self.path, torn + "".join(notes).encode())

    def begun(self) -> bool:
        """Whether there is anything in it."""
        return self._size() > 0

    def last(self, chains: Sequence[KeyChain]) -> Entry | None:
        """The last checkpoint in the file that a key of ``chains`` signed."""
        return self._newest(chains)

    def newest_up_to(self, size: int, chains: Sequence[KeyChain]) -> Entry | None:
        """The last of those over at most ``size`` events."""
        return self._newest(chains, size)

    def _newest(self, chains: Sequence[KeyChain], size: int | None = None) -> Entry | None:
        """From the end of the file, and from all of it only where it is not there."""
        length = self._size()
        for most in (*(tail for tail in TAILS if tail < length), length):
            if entry := next(_signed(self._tail(most), chains, size), None):
                return entry
        return None

    def _torn(self) -> bool:
        return self._size() > 0 and not self._tail(1).endswith("\n")

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def _tail(self, most: int) -> str:
        if not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            file.seek(max(self._size() - most, 0))
            return file.read().decode(errors="replace")


def signed_by(note: str, chains: Sequence[KeyChain]) -> bool:
    """Whether ``note`` is a checkpoint that a key of ``chains`` signed."""
    return _opened(note, chains, None) is not None


def _signed(content: str, chains: Sequence[KeyChain], most: int | None) -> Iterator[Entry]:
    """Newest first; only those over at most ``most`` events."""
    foreign = 0
    for note in reversed(list(split(content))):
        checkpoint = _opened(note, chains, most)
        if checkpoint is None:
            foreign += 1
        else:
            yield Entry(note, checkpoint, foreign)


def _opened(note: str, chains: Sequence[KeyChain], most: int | None) -> Checkpoint | None:
    for chain in chains:
        try:
            if most is None or read(parse(note).text).size <= most:
                return chain.opened(note)
        except BadRequest:
            continue
    return None
