"""The public keys of one trail or witness: the first, and each that followed it, as one text file."""

from __future__ import annotations

from dataclasses import dataclass

from domain.audit.checkpoint import Checkpoint
from domain.audit.checkpoint import read as checkpoint_of
from domain.audit.collection import split
from domain.audit.keys import VerifierKey
from domain.audit.note import parse
from domain.audit.rotation import Rotation, successors
from domain.audit.rotation import opened as rotation_of
from domain.errors import BadRequest


@dataclass(frozen=True)
class KeyChain:
    """``first``, and the rotations that lead from it to the present key, each as its signed note.

    >>> from domain.audit.keys import SigningKey
    >>> from domain.audit.rotation import rotate
    >>> old, new = SigningKey("log", bytes(32)), SigningKey("log", bytes([1] * 32))
    >>> chain = KeyChain(old.verifier).followed_by(rotate(old, new, 120).render())
    >>> [(key == new.verifier, most) for key, most in chain.keys], KeyChain.parse(chain.text) == chain
    ([(False, 120), (True, None)], True)
    """

    first: VerifierKey
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.keys) != len(self.notes) + 1:
            raise BadRequest(f"the rotations of the key {self.first.name!r} do not lead from it to one present key, each following the one before")

    @property
    def rotations(self) -> list[Rotation]:
        return [rotation_of(note) for note in self.notes]

    @property
    def keys(self) -> list[tuple[VerifierKey, int | None]]:
        """Each key, oldest first, with the largest size that it may sign (of the present key: None)."""
        return successors(self.first, self.rotations)

    @property
    def current(self) -> VerifierKey:
        return self.keys[-1][0]

    @property
    def text(self) -> str:
        """The first key on a line of its own, then the notes of its rotations, each after a blank line."""
        return f"{self.first.text}\n" + "".join(f"\n{note}" for note in self.notes)

    def followed_by(self, note: str) -> KeyChain:
        return KeyChain(self.first, (*self.notes, note))

    def extends(self, earlier: KeyChain) -> bool:
        """Whether this is ``earlier``, or that and what followed it."""
        return self.first == earlier.first and self.notes[: len(earlier.notes)] == earlier.notes

    def opened(self, content: str) -> Checkpoint:
        """The checkpoint in a signed note of a key that might sign so large a trail. BadRequest where there is no such signature."""
        note = parse(content)
        checkpoint = checkpoint_of(note.text)
        if checkpoint.origin != self.first.name:
            raise BadRequest(f"the checkpoint is of the trail {checkpoint.origin!r}, and the key of {self.first.name!r}")
        if not note.signers(key for key, most in self.keys if most is None or checkpoint.size <= most):
            raise BadRequest(f"no key of the trail {self.first.name!r} that might do so signed this checkpoint of {checkpoint.size:,} events")
        return checkpoint

    @classmethod
    def parse(cls, content: str) -> KeyChain:
        """The chain in a file's text; each signature in it is checked."""
        first, _, rest = content.partition("\n")
        return cls(VerifierKey.parse(first), tuple(split(rest)))
