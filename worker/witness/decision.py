"""Whether a witness cosigns: the trail's key signed the checkpoint, and it follows from the last one seen."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from domain.audit import verify_consistency
from domain.audit.checkpoint import Checkpoint
from domain.audit.checkpoint import read as checkpoint_of
from domain.audit.key_chain import KeyChain
from domain.audit.keys import SigningKey, VerifierKey
from domain.audit.note import cosignature, parse
from domain.errors import BadRequest
from worker.witness.memory import JOURNAL, Memory, Seen
from worker.witness.protocol import SIZE_TYPE, Addition

log = logging.getLogger("witness")
TEXT = "text/plain; charset=utf-8"
MOST_REFUSED = 10_000_000       # bytes of the journal: whoever sends forks without end does not fill the disk
MOST_RECORDED = 10_000


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    type: str = TEXT


class Witness:
    """``trusted``: the keys of the trails that it witnesses; none: of each trail the key that it shows first is the one it must keep."""

    def __init__(self, memory: Memory, key: SigningKey, trusted: Iterable[VerifierKey] = (), now: Callable[[], float] = time.time) -> None:
        self.memory, self.key, self._now = memory, key, now
        self.trusted = {verifier.name: verifier for verifier in trusted}
        self._recorded: set[tuple[str, str, str]] = set()

    def add_keys(self, body: str) -> Answer:
        """The key chain of a trail: taken if it begins with a trusted key, or continues the chain that is known."""
        try:
            chain = KeyChain.parse(body)
        except BadRequest as error:
            return Answer(400, f"{error}\n")
        with self.memory.alone():
            seen = self.memory.seen(chain.first.name)
            if seen and seen.keys == chain.text:
                return Answer(200, "known\n")
            if not self._may_follow(chain, seen):
                self._record("keys refused", chain.text, origin=chain.first.name, seen=seen.keys if seen else "", keys=chain.text)
                return Answer(403, "these keys do not follow from the key that this witness trusts\n")
            try:
                self.memory.keep(replace(seen, keys=chain.text) if seen else Seen(chain.first.name, chain.text))
            except BadRequest as error:
                return Answer(403, f"{error}\n")
        return Answer(200, "taken\n")

    def add_checkpoint(self, body: str) -> Answer:
        """Cosign the checkpoint if it follows from the last one seen; that it was seen is on the disk first."""
        try:
            addition = Addition.parse(body)
            checkpoint = checkpoint_of(parse(addition.note).text)
        except BadRequest as error:
            return Answer(400, f"{error}\n")
        with self.memory.alone():
            seen = self.memory.seen(checkpoint.origin)
            if seen is None:
                return Answer(404, f"this witness does not know the trail {checkpoint.origin}\n")
            try:
                KeyChain.parse(seen.keys).opened(addition.note)
            except BadRequest as error:
                return Answer(403, f"{error}\n")
            return self._decided(addition, checkpoint, seen)

    def latest(self, origin: str) -> Answer:
        """The last checkpoint that was cosigned, with its cosignature, for whoever asks."""
        seen = self.memory.seen(origin)
        return Answer(200, seen.note) if seen and seen.note else Answer(404, f"this witness saw no checkpoint of {origin}\n")

    def accept(self, content: str, keys: KeyChain | None = None) -> tuple[Seen, Seen]:
        """By a person at the witness: go on from this checkpoint, which does not follow from the last one seen, and from other ``keys`` where given.

        Both checkpoints go into the journal. Returns what was seen before and what counts now.
        """
        checkpoint = checkpoint_of(parse(content).text)
        with self.memory.alone():
            seen = self.memory.seen(checkpoint.origin)
            if seen is None:
                raise BadRequest(f"this witness does not know the trail {checkpoint.origin}")
            chain = keys or KeyChain.parse(seen.keys)
            chain.opened(content)
            after = Seen(seen.origin, chain.text, checkpoint.size, checkpoint.root.hex(), content, int(self._now()))
            self.memory.record("accepted by a person", at=after.seconds, origin=seen.origin, seen=seen.note, note=content, keys_before=seen.keys, keys=chain.text)
            self.memory.keep(after)
        return seen, after

    def _decided(self, addition: Addition, checkpoint: Checkpoint, seen: Seen) -> Answer:
        if addition.old > checkpoint.size:
            return Answer(400, f"old is {addition.old}, and the checkpoint has {checkpoint.size} events\n")
        if addition.old != seen.size:
            if checkpoint.size < seen.size:
                self._record("smaller than seen", checkpoint.root.hex(), origin=seen.origin, seen=seen.note, note=addition.note)
            return Answer(409, f"{seen.size}\n", SIZE_TYPE)
        if not self._follows(addition, checkpoint, seen):
            what = "same size, other root" if checkpoint.size == seen.size else "does not follow"
            proof = [base64.b64encode(hash_).decode() for hash_ in addition.proof]
            self._record(what, checkpoint.root.hex(), origin=seen.origin, seen=seen.note, note=addition.note, old=addition.old, proof=proof)
            return Answer(422, f"this checkpoint of {checkpoint.size} events does not follow from the one of {seen.size} events that this witness cosigned\n")
        seconds = int(self._now())
        signature = cosignature(parse(addition.note).text, self.key, seconds)
        note = parse(addition.note).with_signature(signature).render()
        self.memory.keep(Seen(seen.origin, seen.keys, checkpoint.size, checkpoint.root.hex(), note, seconds))
        return Answer(200, signature.line)

    def _follows(self, addition: Addition, checkpoint: Checkpoint, seen: Seen) -> bool:
        if not seen.size:
            return not addition.proof
        return verify_consistency(seen.size, checkpoint.size, bytes.fromhex(seen.root), checkpoint.root, addition.proof)

    def _may_follow(self, chain: KeyChain, seen: Seen | None) -> bool:
        trusted = self.trusted.get(chain.first.name)
        if self.trusted and (trusted is None or trusted not in {key for key, _ in chain.keys}):
            return False
        return seen is None or chain.extends(KeyChain.parse(seen.keys))

    def _record(self, what: str, root: str = "", **facts: object) -> None:
        """Once for each refused root beside what was seen."""
        path, same = self.memory.home / JOURNAL, (what, str(facts["seen"]), root)
        if same in self._recorded or (path.exists() and path.stat().st_size > MOST_REFUSED):
            return
        self._recorded = {*([] if len(self._recorded) > MOST_RECORDED else self._recorded), same}
        log.warning("refused, %s: %s. Both texts are in %s", what, facts.get("origin"), path)
        self.memory.record(what, at=int(self._now()), **facts)

