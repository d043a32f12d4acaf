"""A trail's key replaced: the old key signs the new one, and the new key signs that it takes over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.audit.checkpoint import NUMBER
from domain.audit.keys import SigningKey, VerifierKey
from domain.audit.note import Note, parse, sign
from domain.errors import BadRequest

TITLE = "tidemark-key-rotation/v1"


@dataclass(frozen=True)
class Rotation:
    """From ``size`` events on, ``new`` signs in place of ``old``: checkpoints larger than that by ``old`` no longer count.

    >>> old, new = SigningKey("log.example/a", bytes(32)), SigningKey("log.example/a", bytes([1] * 32))
    >>> note = rotate(old, new, 120)
    >>> print(note.text, end="")
    tidemark-key-rotation/v1
    log.example/a+acaa83da+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop
    log.example/a+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
    120
    >>> opened(note.render()) == Rotation(old.verifier, new.verifier, 120)
    True
    """

    old: VerifierKey
    new: VerifierKey
    size: int

    @property
    def text(self) -> str:
        return f"{TITLE}\n{self.old.text}\n{self.new.text}\n{self.size}\n"


def rotate(old: SigningKey, new: SigningKey, size: int) -> Note:
    """The statement, signed by both, that ``new`` follows ``old`` once the trail has ``size`` events."""
    if old.name != new.name or old.seed == new.seed or old.type != new.type or size < 0:
        raise BadRequest(f"a new key takes the name and type of the old one and has another seed; found {old.name!r} and {new.name!r}")
    return sign(Rotation(old.verifier, new.verifier, size).text, old, new)


def opened(content: str) -> Rotation:
    """The rotation in a signed note, whose two signatures are checked. Trust it only if you trust its ``old`` key."""
    note = parse(content)
    lines = note.text.split("\n")
    if len(lines) != 5 or lines[0] != TITLE or not NUMBER.fullmatch(lines[3]):
        raise BadRequest(f"a key rotation is four lines: {TITLE}, old key, new key, size; found {note.text[:80]!r}")
    rotation = Rotation(VerifierKey.parse(lines[1]), VerifierKey.parse(lines[2]), int(lines[3]))
    if rotation.text != note.text or rotation.old.name != rotation.new.name or rotation.old == rotation.new:
        raise BadRequest("a key rotation names two keys of one name, exactly as they are written")
    if len(note.signers((rotation.old, rotation.new))) != 2:
        raise BadRequest(f"the rotation of the key {rotation.old.name!r} needs the signatures of the old and of the new key; one is missing")
    return rotation


def successors(trusted: VerifierKey, rotations: Sequence[Rotation]) -> list[tuple[VerifierKey, int | None]]:
    """``trusted`` and the keys that follow it by ``rotations``, each with the largest size that it may sign (the last: None).

    BadRequest where a key was handed on twice, which is a fork of the keys.
    """
    chain: list[tuple[VerifierKey, int | None]] = [(trusted, None)]
    while following := {rotation for rotation in rotations if rotation.old == chain[-1][0]}:
        if len(following) > 1:
            raise BadRequest(f"the key {chain[-1][0].name!r} was handed on to two keys; which one counts is not provable")
        rotation = following.pop()
        if any(key == rotation.new for key, _ in chain):
            raise BadRequest(f"the rotations of the key {rotation.new.name!r} lead in a circle")
        chain[-1:] = [(rotation.old, rotation.size), (rotation.new, None)]
    return chain
