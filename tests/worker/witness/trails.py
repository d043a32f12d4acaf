"""A trail as a witness sees it: signed checkpoints over any leaves, with their proofs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from domain.audit import consistency_proof, root
from domain.audit.checkpoint import Checkpoint
from domain.audit.key_chain import KeyChain
from domain.audit.keys import SigningKey
from domain.audit.merkle import parent
from worker.witness.protocol import Addition


def leaves(size: int, salt: str = "") -> list[bytes]:
    return [hashlib.sha256(f"{salt}{number}".encode()).digest() for number in range(size)]


class SomeTrail:
    """``leaves``: what it says its events are; a fork has other ones."""

    def __init__(self, events: Sequence[bytes], key: SigningKey) -> None:
        self.events, self.key = list(events), key

    def node(self, level: int, position: int) -> bytes:
        return self.events[position] if level == 0 else parent(self.node(level - 1, 2 * position), self.node(level - 1, 2 * position + 1))

    def note(self, size: int) -> str:
        return Checkpoint(self.key.name, size, root(size, self.node)).signed(self.key).render()

    def proof(self, old: int, size: int) -> tuple[bytes, ...]:
        return tuple(consistency_proof(old, size, self.node)) if old else ()

    def addition(self, old: int, size: int) -> str:
        return Addition(old, self.proof(old, size), self.note(size)).render()

    @property
    def keys(self) -> str:
        return KeyChain(self.key.verifier).text


KEY = SigningKey("tidemark/log", bytes(range(32)))
EVE = SigningKey("tidemark/log", bytes(range(1, 33)))
TRAIL = SomeTrail(leaves(20), KEY)
FORK = SomeTrail([*leaves(4), *leaves(16, "other")], KEY)       # the same first four events
