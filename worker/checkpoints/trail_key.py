"""The key of this trail: made at the first start, named in the trail, rotated, or replaced where it is lost."""

from __future__ import annotations

import json
import logging
from typing import Any

from domain.audit.keys import SigningKey, VerifierKey
from domain.errors import BadRequest
from worker.checkpoints.key_file import KeyFile
from worker.settings import Settings
from worker.store import Filter, Store, Unit

log = logging.getLogger("checkpoints")
EVENTS = ("audit_key_created", "audit_key_rotated", "audit_key_replaced")
ENTITY = "audit:key"


class TrailKey:
    """``files``: where it lies. All but ``absent`` is for the process that holds the lease."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._origin = store, settings.audit.origin
        self.files = KeyFile(settings.home)

    def absent(self) -> str:
        """A sentence where the trail names a key that is not in this workspace: it lies in another, or is lost. Then none is made."""
        if self.files.exists() or (named := self._named()) is None:
            return ""
        return (
            f"The key of this trail, {named.name} with fingerprint {named.fingerprint}, is not in this workspace, so nothing is signed here. "
            "If it is lost: tidemark audit key rotate --lost --why REASON"
        )

    def open(self) -> SigningKey:
        """The key, made where there was none. BadRequest where it cannot be used."""
        new = not self.files.exists()
        key = self.files.create(self._origin) if new else self.files.read()
        with self._store.read() as unit:
            named = named_key(unit)
        if named is not None and named not in {verifier for chain in self.files.chains() for verifier, _ in chain.keys}:
            raise BadRequest(f"the trail names the key {named.text}, and {self.files.path} holds {key.verifier.text}; put back the file that belongs to this database")
        if new:
            log.warning("the key of the audit trail was made: %s, fingerprint %s. Note it elsewhere: it is what a stranger verifies by", key.verifier.text, key.verifier.fingerprint)
        if self._origin and self._origin != key.name:
            log.warning("[audit] origin is %r, and the key of this trail is named %r: the key's name is used", self._origin, key.name)
        return key

    def announce(self, actor: str, why: str = "") -> None:
        """An event for each key of the present chain, unless it is there."""
        chain = self.files.chain()
        assert chain is not None
        with self._store.unit() as unit:
            for (key, _), note in zip(chain.keys, ("", *chain.notes), strict=True):
                detail: dict[str, Any] = dict(key=key.text, fingerprint=key.fingerprint) | (dict(rotation=note, why=why) if note else {})
                kind, verb = ("audit_key_rotated", "took over") if note else ("audit_key_created", "was made")
                unit.audit(actor, kind, ENTITY, event_id=_event_of(key), sentence=f"The key of fingerprint {key.fingerprint} {verb}", **detail)

    def rotate(self, actor: str, why: str) -> SigningKey:
        """A new key that the old one signs; it signs whatever is larger than the trail is now."""
        with self._store.read() as unit:
            size = unit.trail.head()[0]
        key, _ = self.files.rotate(size)
        self.announce(actor, why)
        return key

    def replace_lost(self, actor: str, why: str) -> VerifierKey:
        """A key in place of one that is lost, which nothing but this event vouches for."""
        named = self._named()
        if named is None or self.files.exists():
            raise BadRequest(f"the key of this trail is not lost: {'it was never made' if named is None else f'it lies in {self.files.path}'}. Leave --lost out")
        key = self.files.replace_lost(named.name).verifier
        with self._store.unit() as unit:
            sentence = f"The key of fingerprint {key.fingerprint} replaces one that was lost"
            unit.audit(actor, "audit_key_replaced", ENTITY, event_id=_event_of(key), sentence=sentence, key=key.text, fingerprint=key.fingerprint, lost=named.text, why=why)
        return key

    def _named(self) -> VerifierKey | None:
        """The key that the public keys of the workspace end with, else the one that the trail named last."""
        if chain := self.files.chain():
            return chain.current
        with self._store.read() as unit:
            return named_key(unit)


def named_key(unit: Unit) -> VerifierKey | None:
    """The key that the trail itself named last."""
    event = next(iter(unit.trail.page(Filter(kinds=EVENTS), 1)), None)
    return VerifierKey.parse(json.loads(event.body)["detail"]["key"]) if event else None


def _event_of(key: VerifierKey) -> str:
    return f"audit-key-{key.fingerprint}"
