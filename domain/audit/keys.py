"""Ed25519 keys under a name: the signing key of a trail or witness, and the verifier key that anyone may hold.

Texts are those of C2SP's signed note (https://c2sp.org/signed-note) and of Go's ``sumdb/note``, so other tools read them:
``name+id+base64`` to verify, ``PRIVATE+KEY+name+id+base64`` to sign. Signatures come from ``cryptography``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from domain.errors import BadRequest

ED25519, COSIGNATURE = 1, 4     # signature types: over a note's text; over a checkpoint with the time it was seen
TYPES = (ED25519, COSIGNATURE)
PRIVATE = "PRIVATE+KEY+"
LONGEST_NAME = 200


@dataclass(frozen=True)
class VerifierKey:
    """A public key (32 bytes) under a name, for one type of signature.

    >>> key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    >>> key.name, key.id.hex(), key.type
    ('example.com/foo', '530d903a', 1)
    """

    name: str
    public: bytes
    type: int = ED25519

    def __post_init__(self) -> None:
        _check(self.name, self.public, self.type)

    @property
    def id(self) -> bytes:
        """SHA256(name ‖ "\\n" ‖ type ‖ public key)[:4]: which key a signature line means, no proof of it."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.type]) + self.public).decode()}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of ``text`` in hex: what a person compares by eye or over the telephone."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` (64 bytes) is this key's over ``message``; RFC 8032."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key that ``text`` names. BadRequest where it is none, or its id is another's."""
        name, id_, material = _parts(text.strip(), "verifier key")
        key = cls(name, material[1:], material[0])
        if key.id.hex() != id_:
            raise BadRequest(f"the verifier key of {name!r} says id {id_} and has id {key.id.hex()}; copy the whole line anew")
        return key


@dataclass(frozen=True)
class SigningKey:
    """A private key (seed of 32 bytes) under a name. ``text`` is a secret; ``repr`` does not show the seed.

    >>> key = SigningKey("log.example/a", bytes(32))
    >>> key.verifier.verifies(key.sign(b"message"), b"message"), key.verifier.verifies(key.sign(b"message"), b"other")
    (True, False)
    >>> SigningKey.parse(key.text) == key, key
    (True, SigningKey(name='log.example/a', type=1))
    """

    name: str
    seed: bytes = field(repr=False)
    type: int = ED25519

    def __post_init__(self) -> None:
        _check(self.name, self.seed, self.type)

    @property
    def verifier(self) -> VerifierKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return VerifierKey(self.name, public.public_bytes(Encoding.Raw, PublicFormat.Raw), self.type)

    @property
    def text(self) -> str:
        """The whole key, for a file that one process may read."""
        return f"{PRIVATE}{self.name}+{self.verifier.id.hex()}+{base64.b64encode(bytes([self.type]) + self.seed).decode()}"

    def sign(self, message: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """The key that ``text`` holds. BadRequest, which quotes none of it, where it is none."""
        if not text.startswith(PRIVATE):
            raise BadRequest(f"a signing key begins with {PRIVATE}; this text does not. Give the file that holds the private key")
        name, id_, material = _parts(text.removeprefix(PRIVATE).strip(), "signing key")
        key = cls(name, material[1:], material[0])
        if key.verifier.id.hex() != id_:
            raise BadRequest(f"the signing key of {name!r} is damaged: its id is not that of its public key. Put back the file from a copy")
        return key


def is_name(text: str) -> bool:
    """Whether a key may have this name: no space, plus sign or control character.

    >>> is_name("tidemark.example/a1"), is_name("two words"), is_name("a+b"), is_name("")
    (True, False, False, False)
    """
    return 0 < len(text) <= LONGEST_NAME and text.isprintable() and "+" not in text and not any(letter.isspace() for letter in text)


def decoded(text: str) -> bytes | None:
    """The bytes of standard base64 with its padding, or nothing; only the one spelling that encoding gives is taken.

    >>> decoded("AQI="), decoded("AQJ="), decoded("AQI")
    (b'\\x01\\x02', None, None)
    """
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == text else None


def _parts(text: str, what: str) -> tuple[str, str, bytes]:
    name, id_, material = (*text.split("+", 2), "", "")[:3]
    content = decoded(material)
    if not is_name(name) or content is None or len(content) != 33:
        raise BadRequest(f"a {what} is one line, name+id+base64 of 33 bytes; this text is not. Copy the whole line anew")
    return name, id_, content


def _check(name: str, material: bytes, type_: int) -> None:
    if not is_name(name):
        raise BadRequest(f"a key is named by 1 to {LONGEST_NAME} letters without spaces or plus signs, such as tidemark.example/a1; found {name!r}")
    if len(material) != 32:
        raise BadRequest(f"an Ed25519 key has 32 bytes; the one of {name!r} has {len(material)}")
    if type_ not in TYPES:
        raise BadRequest(f"the key of {name!r} is of type {type_}; this program knows {ED25519} (Ed25519) and {COSIGNATURE} (cosignature)")
