"""The key that signs the trail's checkpoints: a private file that one process reads, and beside it the public keys, for anyone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from domain.audit.key_chain import KeyChain
from domain.audit.keys import SigningKey, is_name
from domain.audit.rotation import rotate
from domain.errors import BadRequest
from worker.checkpoints import durable

KEY, NEXT, PUBLIC = "audit.key", "audit.key.next", "audit-keys.txt"
FORMER = "audit-keys-before-{}.txt"
OTHERS = 0o077


class KeyFile:
    """The key of the workspace ``home``. Whoever uses it holds the lease ``worker.checkpoints.holder.LEASE``."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.path, self._next, self._public = home / KEY, home / NEXT, home / PUBLIC

    def exists(self) -> bool:
        return self.path.exists()

    def create(self, origin: str = "") -> SigningKey:
        """Make a key. Its name is that of the trail: ``origin``, or one that nobody else has."""
        name = origin or f"tidemark/{secrets.token_hex(6)}"
        if not is_name(name):
            raise BadRequest(f"[audit] origin is {origin!r}; it must be up to 200 letters without spaces or plus signs, such as desk.example.com/audit")
        key = SigningKey(name, os.urandom(32))
        durable.create(self.path, f"{key.text}\n")
        durable.replace(self._public, KeyChain(key.verifier).text)
        return key

    def read(self) -> SigningKey:
        """The key in the file; a rotation that was cut off is completed. BadRequest where the file is damaged or others may read it."""
        if self._next.exists():
            self._complete()
        if os.name != "nt" and self.path.stat().st_mode & OTHERS:
            raise BadRequest(f"others may read the key {self.path}: close it with chmod 600, and rotate it with `tidemark audit key rotate` if anyone did")
        key = _read(self.path)
        chain = self.chain()
        if chain is None or chain.current != key.verifier:
            if chain is not None and any(former == key.verifier for former, _ in chain.keys):
                raise BadRequest(f"{self.path} holds a key that was replaced; put back the present one, {chain.current.text}")
            durable.replace(self._public, KeyChain(key.verifier).text)
        return key

    def chain(self) -> KeyChain | None:
        """The public keys, first to present; None where there are none. Needs no lease."""
        return _chain(self._public) if self._public.exists() else None

    def chains(self) -> list[KeyChain]:
        """The present chain, and those of keys that were lost before it."""
        present = self.chain()
        return [*([present] if present else []), *map(_chain, sorted(self._home.glob(FORMER.format("*"))))]

    def rotate(self, size: int) -> tuple[SigningKey, str]:
        """A new key in place of the present one, from ``size`` events on; with the note in which both sign that."""
        old = self.read()
        new = SigningKey(old.name, os.urandom(32))
        note = rotate(old, new, size).render()
        chain = self.chain() or KeyChain(old.verifier)
        durable.replace(self._next, f"{new.text}\n")
        durable.replace(self._public, chain.followed_by(note).text)
        durable.rename(self._next, self.path)
        return new, note

    def replace_lost(self, name: str) -> SigningKey:
        """A key of the trail ``name`` in place of one that is lost: nothing signs it, so its fingerprint must be published anew."""
        key = SigningKey(name, os.urandom(32))
        if self._public.exists():
            durable.rename(self._public, self._home / FORMER.format(key.verifier.id.hex()))
        durable.replace(self.path, f"{key.text}\n")
        durable.replace(self._public, KeyChain(key.verifier).text)
        return key

    def _complete(self) -> None:
        """After a crash inside ``rotate``: the new key counts once the old one has signed it."""
        chain = self.chain()
        if chain is not None and chain.current == _read(self._next).verifier:
            durable.rename(self._next, self.path)
        else:
            self._next.unlink()


def _chain(path: Path) -> KeyChain:
    try:
        return KeyChain.parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise BadRequest(f"{path} is not UTF-8 text; put it back from a copy") from None


def _read(path: Path) -> SigningKey:
    try:
        return SigningKey.parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise BadRequest(f"the signing key {path} is damaged; put back the file from a copy") from None
