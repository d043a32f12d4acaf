"""Checkpoints of the audit trail: the last one, where it went, the witnesses, the key, and what keeps them back."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.audit.key_chain import KeyChain
from domain.errors import BadRequest
from worker.checkpoints import requests
from worker.checkpoints.courier import STATE as WITNESSES
from worker.checkpoints.courier import pinned
from worker.checkpoints.key_file import KeyFile
from worker.checkpoints.notary import STATE
from worker.checkpoints.trail_key import named_key
from worker.checkpoints.witness_client import addresses_of
from worker.desk.context import DeskContext
from worker.desk.health import Health
from worker.store import ALIVE, Receipt, SignedCheckpoint, Unit
from worker.store.checkpoints import COSIGNED, FILE, STORED, cosigned

HEADER = "tidemark-checkpoint"          # of an answer: the last checkpoint, in base64
LATE = 15.0             # seconds after its time until a checkpoint counts as late
PATIENCE = 5.0          # seconds that a download waits for a checkpoint


@dataclass(frozen=True)
class CheckpointRow:
    """One signed checkpoint. ``receipts``: who received it. ``age``: seconds since it was signed, by the database's clock."""

    checkpoint: SignedCheckpoint
    receipts: tuple[Receipt, ...]
    age: float

    @property
    def number(self) -> int:
        return self.checkpoint.number

    @property
    def at(self) -> datetime:
        return self.checkpoint.at

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> str:
        return self.checkpoint.root

    @property
    def heartbeat(self) -> bool:
        """Nothing happened since the checkpoint before."""
        return self.checkpoint.heartbeat

    @property
    def went(self) -> tuple[str, ...]:
        """Where it went: ``file`` and the addresses of witnesses that cosigned."""
        return tuple(receipt.receiver for receipt in self.receipts if receipt.state in (STORED, COSIGNED))

    @property
    def text(self) -> str:
        """The signed note with its cosignatures."""
        return cosigned(self.checkpoint, self.receipts)


@dataclass(frozen=True)
class WitnessRow:
    """A witness of the settings. ``state``: waiting, cosigned, refused or away. ``size``: events that it cosigned last. ``key``: its verifier key.

    ``key_from``: settings, or first use. ``text``: why it refused, or that it is away.
    """

    url: str
    state: str
    text: str
    at: datetime | None
    number: int | None
    size: int | None
    cosigned_at: datetime | None
    key: str
    key_from: str


@dataclass(frozen=True)
class KeyRow:
    """A key of this trail. ``text``: the verifier key line. ``most``: the largest trail that it may sign; of the present key None."""

    text: str
    id: str
    fingerprint: str
    most: int | None


class CheckpointsView:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def latest(self) -> CheckpointRow | None:
        return next(iter(self.page(1)), None)

    def page(self, limit: int = 50, before: int | None = None) -> list[CheckpointRow]:
        """Newest first; ``before``: only those with a smaller number."""
        with self._context.store.read() as unit:
            return _rows(unit, unit.checkpoints.page(limit, before))

    def count(self) -> int:
        with self._context.store.read() as unit:
            return unit.checkpoints.count()

    def latest_text(self) -> str:
        """The last checkpoint as a signed note with its cosignatures, for every download; empty if there is none yet."""
        row = self.latest()
        return row.text if row else ""

    def header(self) -> dict[str, str]:
        """The last checkpoint as a header of an answer: what leaves takes it along."""
        note = self.latest_text()
        return {HEADER: base64.b64encode(note.encode()).decode()} if note else {}

    def text(self, heartbeats: bool = False) -> str:
        """All checkpoints as signed notes, oldest first, one after another; without ``heartbeats`` one for each state of the trail."""
        with self._context.store.read() as unit:
            return "".join(row.text for row in _rows(unit, unit.checkpoints.all(heartbeats=heartbeats)))

    def witnesses(self) -> list[WitnessRow]:
        with self._context.store.read() as unit:
            states = unit.fact(WITNESSES) or {}
            return [_witness(unit, address, states.get(address.url, {})) for address in addresses_of(self._context.settings.audit.witnesses)]

    def keys(self) -> list[KeyRow]:
        """The keys of this trail, the present one last; none before the first start."""
        chain = self.chain()
        return [KeyRow(key.text, key.id.hex(), key.fingerprint, most) for key, most in chain.keys] if chain else []

    def chain(self) -> KeyChain | None:
        """The public keys, from the workspace; from the trail where the workspace has none."""
        if chain := KeyFile(self._context.settings.home).chain():
            return chain
        with self._context.store.read() as unit:
            named = named_key(unit)
        return KeyChain(named) if named else None

    def key_text(self) -> str:
        """The public keys as a file for a stranger: the first key and every rotation; empty before the first start."""
        chain = self.chain()
        return chain.text if chain else ""

    def fingerprint(self) -> str:
        """Of the present key; empty before the first start."""
        keys = self.keys()
        return keys[-1].fingerprint if keys else ""

    def file(self) -> str:
        """The append-only file outside the database."""
        return str(self._context.settings.checkpoints_file)

    def problems(self) -> list[str]:
        """What keeps checkpoints from being signed or from leaving, sentences; the worst first."""
        with self._context.store.read() as unit:
            state = unit.fact(STATE) or {}
        sentences = [state.get(name, "") for name in ("disagrees", "problem", "file")]
        return [sentence for sentence in (*sentences, *(row.text for row in self.witnesses())) if sentence]

    def disagreement(self) -> str:
        """A sentence where the trail is not the one that a checkpoint outside is of; nothing is signed until a person accepts it."""
        with self._context.store.read() as unit:
            return str((unit.fact(STATE) or {}).get("disagrees", ""))

    def sign_now(self) -> dict[str, Any]:
        """Have a checkpoint of this moment signed; its number, size, root and note."""
        return self._ask(requests.CHECKPOINT)

    def cover(self, event: str = "") -> str:
        """Have a checkpoint signed if events came after the last one, so that what leaves now is covered; why not, a sentence, or nothing.

        ``event``: only that one (its number, id or hash) must be covered, so that its proof leads to a checkpoint that has left already.
        """
        with self._context.store.read() as unit:
            latest, (rows, _) = unit.checkpoints.latest(), unit.trail.head()
            if event and (record := unit.trail_index.named(event)):
                rows = record.seq
        if latest and latest.size >= rows:
            return ""
        try:
            requests.ask(self._context.store, self._context.settings, requests.CHECKPOINT, self._context.user, wait=PATIENCE)
        except (BadRequest, OSError) as error:
            return str(error)
        return ""

    def rotate_key(self, why: str = "", lost: bool = False) -> dict[str, Any]:
        """A new key that the old one signs, or one in place of a key that is lost; its text and fingerprint."""
        return self._ask(requests.REPLACE if lost else requests.ROTATE, why)

    def acknowledge(self, why: str) -> dict[str, Any]:
        """Accept another trail than that of an earlier checkpoint, for a reason that goes into the trail."""
        return self._ask(requests.ACKNOWLEDGE, why)

    def health(self) -> Health:
        """Whether checkpoints are signed in time and leave."""
        if disagreement := self.disagreement():
            return Health("Checkpoints", "failed", disagreement)
        row, problems = self.latest(), self.problems()
        if problems:
            return Health("Checkpoints", "warning", " ".join(problems))
        if row is None:
            return self._none_yet()
        interval = self._context.settings.audit.interval
        if row.age > 2 * interval + LATE:
            return Health("Checkpoints", "warning", f"The last checkpoint is {_span(row.age)} old; one is expected every {_span(interval)}.")
        return Health("Checkpoints", "well", f"checkpoint {row.number:,} of {row.size:,} events, {_span(row.age)} old; it went to {len(row.went)} of {1 + len(self.witnesses())}")

    def _none_yet(self) -> Health:
        with self._context.store.read() as unit:
            now = unit.now()
            began = [process.started_at for process in unit.processes(ALIVE) if process.kind == "scheduler"]
        late = any((now - at).total_seconds() > self._context.settings.audit.interval + LATE for at in began)
        return Health("Checkpoints", "warning" if late else "well", "None is signed yet, though the scheduler is running: see its log." if late else "none signed yet")

    def _ask(self, what: str, why: str = "") -> dict[str, Any]:
        return requests.ask(self._context.store, self._context.settings, what, self._context.user, why)


def _rows(unit: Unit, checkpoints: list[SignedCheckpoint]) -> list[CheckpointRow]:
    now, received = unit.now(), unit.checkpoints.receipts(row.number for row in checkpoints)
    return [CheckpointRow(row, tuple(received.get(row.number, ())), max((now - row.at).total_seconds(), 0.0)) for row in checkpoints]


def _witness(unit: Unit, address: Any, state: dict[str, Any]) -> WitnessRow:
    key = address.key or pinned(unit, address.url)
    from_ = "settings" if address.key else "first use" if key else ""
    times = [datetime.fromisoformat(state[name]) if state.get(name) else None for name in ("at", "cosigned_at")]
    return WitnessRow(address.url, state.get("state", "waiting"), state.get("text", ""), times[0], state.get("number"), state.get("size"), times[1], key.text if key else "", from_)


def _span(seconds: float) -> str:
    """
    >>> _span(42.3), _span(600), _span(90_000)
    ('42 s', '10 min', '25 h')
    """
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"


__all__ = ["FILE", "CheckpointRow", "CheckpointsView", "KeyRow", "WitnessRow"]
