"""C2SP signed notes (https://c2sp.org/signed-note): a text, a blank line, and a line for each key that signed it.

Cosignatures of witnesses are those of https://c2sp.org/tlog-cosignature, version 1: Ed25519 over the time and the text.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from domain.audit.keys import COSIGNATURE, ED25519, SigningKey, VerifierKey, decoded, is_name
from domain.errors import BadRequest

DASH = "\u2014 "
LONGEST, MOST_SIGNATURES = 65_536, 64       # bytes of a note; signature lines
LAST_SECOND = 2**63 - 1


@dataclass(frozen=True)
class Signature:
    """One signature line: the key's name and id say whose it claims to be."""

    name: str
    id: bytes
    value: bytes

    @property
    def line(self) -> str:
        return f"{DASH}{self.name} {base64.b64encode(self.id + self.value).decode()}\n"

    @property
    def seconds(self) -> int:
        """Of a cosignature: the POSIX second at which the witness signed."""
        return int.from_bytes(self.value[:8], "big")

    def is_of(self, key: VerifierKey) -> bool:
        """Whether the line names ``key``; says nothing of its validity."""
        return (self.name, self.id) == (key.name, key.id)


@dataclass(frozen=True)
class Note:
    """``text`` ends in a newline; nothing in it counts before ``signers`` says whose it is."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def render(self) -> str:
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)

    def signers(self, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Those of ``keys`` that signed. BadRequest where a line names one of them and its signature is not valid."""
        valid = []
        for key in keys:
            lines = [signature for signature in self.signatures if signature.is_of(key)]
            if not all(_valid(self.text, signature, key) for signature in lines):
                raise BadRequest(f"the note has a signature under the name and id of {key.name!r} that its key did not make; do not trust this text")
            valid += [key] if lines else []
        return tuple(valid)

    def time_of(self, key: VerifierKey) -> int | None:
        """The latest POSIX second at which the witness ``key`` cosigned, by what its lines say; None if it did not."""
        return max((s.seconds for s in self.signatures if key.type == COSIGNATURE and s.is_of(key)), default=None)

    def with_signature(self, signature: Signature) -> Note:
        """The note with one line more; an equal line is not repeated."""
        return self if signature in self.signatures else Note(self.text, (*self.signatures, signature))


def sign(text: str, *keys: SigningKey) -> Note:
    """``text`` signed by each of ``keys`` (type Ed25519).

    >>> key = SigningKey("log.example/a", bytes(32))
    >>> note = sign("A text.\\n", key)
    >>> parse(note.render()) == note, note.signers([key.verifier]) == (key.verifier,)
    (True, True)
    """
    _check_text(text)
    return Note(text, tuple(Signature(key.name, key.verifier.id, key.sign(text.encode())) for key in keys))


def cosignature(text: str, key: SigningKey, seconds: int) -> Signature:
    """The witness ``key`` (type COSIGNATURE) says that it saw checkpoint ``text``, consistent with all before, at ``seconds`` (POSIX).

    >>> witness = SigningKey("witness.example/w", bytes(32), COSIGNATURE)
    >>> note = Note("A text.\\n").with_signature(cosignature("A text.\\n", witness, 1_700_000_000))
    >>> note.signers([witness.verifier]) == (witness.verifier,), note.time_of(witness.verifier)
    (True, 1700000000)
    """
    if key.type != COSIGNATURE or not 0 <= seconds <= LAST_SECOND:
        raise BadRequest(f"a cosignature needs a key of type {COSIGNATURE} and a time since 1970; found type {key.type} and {seconds}")
    _check_text(text)
    return Signature(key.name, key.verifier.id, seconds.to_bytes(8, "big") + key.sign(_cosigned(text, seconds)))


def parse(content: str) -> Note:
    """The note in ``content``, exactly as it was rendered. BadRequest says what is wrong with it."""
    if len(content.encode("utf-8", "replace")) > LONGEST:
        raise BadRequest(f"a signed note has at most {LONGEST:,} bytes; this has {len(content.encode('utf-8', 'replace')):,}")
    text, blank, lines = content.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise BadRequest("a signed note is a text, a blank line and signature lines, each ended by a newline; copy the whole file anew")
    _check_text(text + "\n")
    each = lines[:-1].split("\n")
    if len(each) > MOST_SIGNATURES:
        raise BadRequest(f"a signed note has at most {MOST_SIGNATURES} signatures; this has {len(each)}")
    return Note(text + "\n", tuple(map(_signature, each)))


def _signature(line: str) -> Signature:
    name, _, value = line.removeprefix(DASH).partition(" ")
    content = decoded(value)
    if not line.startswith(DASH) or not is_name(name) or content is None or len(content) < 5:
        raise BadRequest(f"a signature line is '\u2014 name base64'; found {line[:80]!r}")
    return Signature(name, content[:4], content[4:])


def _valid(text: str, signature: Signature, key: VerifierKey) -> bool:
    if key.type == ED25519:
        return key.verifies(signature.value, text.encode())
    return len(signature.value) == 72 and key.verifies(signature.value[8:], _cosigned(text, signature.seconds))


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _check_text(text: str) -> None:
    if not text.endswith("\n") or text == "\n" or any(letter < " " and letter != "\n" for letter in text):
        raise BadRequest("a note's text ends in a newline and has no other control characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRequest("a note's text is UTF-8; this has half a surrogate pair") from None
