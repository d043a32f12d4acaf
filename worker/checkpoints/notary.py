"""Signs the trail's checkpoints: at least every minute or 1,000 events, also while nothing happens, in the one process that holds the key."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from domain.audit.checkpoint import Checkpoint
from domain.audit.keys import SigningKey, VerifierKey
from domain.errors import BadRequest
from worker.checkpoints import agreement
from worker.checkpoints.agreement import AGREES, DISAGREES, LOST, Agreement, compared, digest_of
from worker.checkpoints.external_file import CheckpointFile
from worker.checkpoints.holder import Holder
from worker.checkpoints.trail_key import TrailKey
from worker.checkpoints.writer import Writer
from worker.owner import OWNER
from worker.settings import Settings
from worker.store import SignedCheckpoint, Store

log = logging.getLogger("checkpoints")
ACTOR, ENTITY = "tidemark", "audit:trail"
STATE = "audit_checkpoints"         # fact: what keeps checkpoints from being signed or written, sentences, for the page
ACKNOWLEDGE = "No checkpoint is signed until a person accepts this: tidemark audit checkpoints --acknowledge REASON"


class Notary:
    """``step`` is called every other second. ``clock``: seconds that cannot be set."""

    def __init__(self, store: Store, settings: Settings, *, owner: str = OWNER, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._audit, self._clock = store, settings.audit, clock
        self._holder = Holder(store, owner, clock)
        self.trail_key, self._file = TrailKey(store, settings), CheckpointFile(settings.checkpoints_file)
        self._writer: Writer | None = None
        self._key: SigningKey | None = None
        self._tried_at: float | None = None
        self._signed_size = 0
        self._state: dict[str, str] = {}

    def step(self) -> None:
        """Sign if it is time, and write what the file has not yet."""
        if self.take():
            if self._due():
                self.sign()
            self._write()

    def take(self) -> bool:
        """Whether this process holds the key, after taking it where it is free."""
        if self._key is None and (absent := self.trail_key.absent()):
            self._remember(problem=absent)
            return False
        if not self._holder.holds():
            self._key = None
            return False
        if self._key is None:
            self._open()
        return self._key is not None

    def release(self) -> None:
        self._key = None
        self._holder.release()

    @property
    def holds(self) -> bool:
        """Whether this process holds the key, as of the last step."""
        return self._key is not None

    @property
    def problem(self) -> str:
        """Why nothing is signed, a sentence; empty if nothing keeps it."""
        return self._state.get("disagrees", "") or self._state.get("problem", "")

    # -- what a person may ask for

    def sign(self) -> SignedCheckpoint | None:
        """Sign size and root as they are now. None where the trail disagrees with a checkpoint that left it, or the lease is lost."""
        signed = self._sign() if self._agrees() else None
        self._tried_at = self._clock()
        self._write()
        return signed

    def rotate(self, actor: str, why: str = "") -> VerifierKey:
        """A new key, signed by the old one; a checkpoint by the new one follows at once."""
        if not self._agrees():
            raise BadRequest(f"the key is not rotated while no checkpoint may be signed. {self.problem}")
        self._key = self.trail_key.rotate(actor, why)
        self.sign()
        return self._key.verifier

    def replace_lost(self, actor: str, why: str) -> VerifierKey:
        """A key in place of one that is lost, with a checkpoint by it."""
        if not self._holder.holds():
            raise BadRequest("another process holds the key of this trail, so it is not lost. Leave --lost out")
        key = self.trail_key.replace_lost(actor, why)
        self._open()
        self.sign()
        return key

    def acknowledge(self, actor: str, why: str) -> SignedCheckpoint | None:
        """A person accepts that the trail is not the one that a checkpoint outside is of; checkpoints are signed again."""
        state = self._compared()
        if state.state != DISAGREES or state.last is None:
            raise BadRequest("the trail agrees with the last checkpoint in the file; there is nothing to acknowledge")
        last = state.last.checkpoint
        with self._store.unit() as unit:
            sentence = f"Another trail than that of an earlier checkpoint was accepted: {why}"
            unit.audit(actor, "checkpoint_acknowledged", ENTITY, sentence=sentence, why=why, checkpoint=state.last.note, size=last.size, root=last.root.hex(), rows=state.rows)
        self.trail_key.announce(ACTOR)
        signed = self._sign()
        self._remember(problem="", disagrees="")
        self._write()
        return signed

    # -- agreement with what left

    def _open(self) -> None:
        try:
            self._key, self._tried_at = self.trail_key.open(), None
            self._writer = Writer(self._store, self._file)
            self._remember(problem="")
            if self._agrees():
                self.trail_key.announce(ACTOR)
        except (BadRequest, OSError) as error:
            self._remember(problem=f"The key of the audit trail cannot be used: {error}.")
            self.release()

    def _compared(self) -> Agreement:
        with self._store.read() as unit:
            return compared(unit, self._file, self.trail_key.files.chains())

    def _agrees(self) -> bool:
        """Whether a checkpoint may be signed. A restored database gets an event that says so; over another trail nothing is signed."""
        try:
            state = self._compared()
        except OSError as error:
            self._remember(problem=f"The checkpoint file {self._file.path} cannot be read, so nothing is signed: {error.strerror or error}.")
            return False
        self._remember(problem="", disagrees=f"{state.why} {ACKNOWLEDGE}" if state.state == DISAGREES else "")
        if state.state != AGREES:
            self._record(state)
        elif self._writer is not None:
            self._writer.watch(state)
        return state.state != DISAGREES

    def _record(self, state: Agreement) -> None:
        """The event of a trail that lost its end, or that is another one; once for each checkpoint that shows it."""
        assert self._key is not None and state.last is not None
        last, digest = state.last.checkpoint, digest_of(state.last.note)
        with self._store.unit() as unit:
            if state.state == LOST:
                unit.audit(ACTOR, "restored", ENTITY, event_id=f"restored-{digest}", **agreement.restored(state, self._key))
            else:
                detail = dict(checkpoint=state.last.note, root=last.root.hex(), sentence=state.why)
                unit.audit(ACTOR, "checkpoint_disagrees", ENTITY, event_id=f"disagrees-{digest}", size=last.size, rows=state.rows, **detail)

    # -- signing and writing

    def _due(self) -> bool:
        if self._tried_at is None or self._clock() - self._tried_at >= self._audit.interval:
            return True
        if self.problem:
            return False
        with self._store.read() as unit:
            return unit.trail.head()[0] - self._signed_size >= self._audit.events

    def _sign(self) -> SignedCheckpoint | None:
        assert self._key is not None
        with self._store.unit() as unit:
            if not self._holder.fenced(unit):
                self._key = None
                return None
            rows, _ = unit.trail.head()
            at = unit.now()
            checkpoint = Checkpoint(self._key.name, rows, unit.checkpoints.root(rows), int(at.timestamp()))
            note = checkpoint.signed(self._key).render()
            row = unit.checkpoints.add(rows, checkpoint.root.hex(), self._key.verifier.id.hex(), note, at)
        self._signed_size = rows
        return row

    def _write(self) -> None:
        """Append to the file what it has not yet. One that cannot be written is tried again, and signing goes on."""
        if self._key is None or self._writer is None or self._state.get("disagrees"):
            return
        try:
            self._writer.write(self.trail_key.files.chains())
            self._remember(file="")
        except OSError as error:
            self._remember(file=f"The checkpoint file {self._file.path} cannot be written: {error.strerror or error}.")

    def _remember(self, **state: str) -> None:
        """Save for the page what keeps checkpoints back, where that changed; and log it."""
        changed = {**self._state, **state}
        if changed == self._state:
            return
        for name, sentence in state.items():
            if sentence and sentence != self._state.get(name):
                log.warning("%s", sentence)
        self._state = changed
        with self._store.unit() as unit:
            unit.remember(STATE, changed)
