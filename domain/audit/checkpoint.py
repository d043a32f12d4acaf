"""C2SP checkpoints (https://c2sp.org/tlog-checkpoint): size and root of the trail's tree, as the text of a signed note."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from domain.audit.keys import SigningKey, VerifierKey, decoded
from domain.audit.merkle import EMPTY
from domain.audit.note import Note, parse, sign
from domain.errors import BadRequest

NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Checkpoint:
    """The trail ``origin`` had ``size`` events under ``root`` (32 bytes). ``seconds``: POSIX time by the log's own clock, kept as extension line ``time N``.

    >>> checkpoint = Checkpoint("tidemark.example/a1", 0, EMPTY, 1_700_000_000)
    >>> print(checkpoint.text, end="")
    tidemark.example/a1
    0
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    time 1700000000
    >>> read(checkpoint.text) == checkpoint
    True
    """

    origin: str
    size: int
    root: bytes
    seconds: int | None = None
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin or any(not line or "\n" in line for line in self.extensions):
            raise BadRequest("a checkpoint's origin and extension lines are not empty, and each is one line")
        if not 0 <= self.size <= LARGEST or len(self.root) != 32 or (self.size == 0) != (self.root == EMPTY):
            raise BadRequest(f"a checkpoint has a size and a root of 32 bytes, that of no events if it has none; found size {self.size} and root {self.root.hex()}")
        if self.seconds is not None and not 0 <= self.seconds <= LARGEST:
            raise BadRequest(f"a checkpoint's time is in seconds since 1970; found {self.seconds}")

    @property
    def text(self) -> str:
        times = () if self.seconds is None else (f"time {self.seconds}",)
        return "".join(f"{line}\n" for line in (self.origin, self.size, base64.b64encode(self.root).decode(), *times, *self.extensions))

    def signed(self, *keys: SigningKey) -> Note:
        """As a note by the log's key, whose name should be the origin."""
        return sign(self.text, *keys)


def read(text: str) -> Checkpoint:
    """The checkpoint in the text of a note. BadRequest where it is none."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or "" in lines[:-1]:
        raise BadRequest("a checkpoint is at least three lines, none empty: origin, size, root")
    origin, size, root = lines[:3]
    digest = decoded(root)
    if not NUMBER.fullmatch(size) or digest is None or len(digest) != 32:
        raise BadRequest(f"a checkpoint's second line is its size and its third the root in base64; found {size[:40]!r} and {root[:60]!r}")
    rest = lines[3:-1]
    time = re.fullmatch(rf"time ({NUMBER.pattern})", rest[0], re.ASCII) if rest else None
    return Checkpoint(origin, int(size), digest, int(time[1]) if time else None, tuple(rest[1:] if time else rest))


def opened(content: str, keys: Iterable[VerifierKey]) -> tuple[Checkpoint, tuple[VerifierKey, ...]]:
    """The checkpoint in the signed note ``content`` and which of ``keys`` signed it. BadRequest where none did, or a signature is false."""
    note = parse(content)
    signers = note.signers(keys)
    if not signers:
        names = ", ".join(signature.name for signature in note.signatures)
        raise BadRequest(f"no key that was given signed this checkpoint; it bears the names {names}. Give the key that signed it")
    return read(note.text), signers
