"""One audit event as pages show it: its subject, its words, whether something was refused."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.audit import Record
from domain.audit.kinds import current_kind
from domain.audit.reconciliation import KIND as RECONCILED
from domain.audit.reconciliation import reconciliation_of
from domain.audit.replay import OF_SESSIONS, ORDERS_OF, REPLAYS

FORMS = {"parquet": "Parquet", "jsonl": "JSONL"}
SUBJECTS = {            # subject of an event, by the first word of its kind
    "order": "order", "broker": "order", "position": "order", "trade": "order", "execution": "order", "trading": "session", "account": "session", "allocation": "session", "session": "session", "job": "job", "run": "run", "batch": "run", "gate": "run", "decision": "run", "chance": "run", "risk": "run", "model": "run", "drift": "run", "retraining": "run",
    "strategy": "run", "form": "run",
    "dataset": "data", "file": "data", "example": "data", "recipe": "data", "outside": "data", "cost": "data", "history": "data",
    "rule": "rule", "ruleset": "rule", "compliance": "rule", "audit": "audit", "recorded": "audit", "checkpoint": "audit", "witness": "audit", "restored": "audit", "backup": "audit", "key": "audit",
    "downloaded": "user", "column": "data", "instrument": "data", "sign": "user", "signed": "user", "user": "user", "token": "user", "approval": "user",
    "notification": "system", "kernel": "system", "settings": "system", "process": "system", "listening": "system",
}  # fmt: skip
REFUSED = ("refused", "rejected", "failed", "broken", "denied", "halted", "lost")


@dataclass(frozen=True)
class Event:
    """One audit event, read from its canonical body."""

    seq: int
    ts: str
    actor: str
    kind: str
    subject: str
    entities: tuple[str, ...]
    detail: dict[str, Any]
    hash: str
    event_id: str = ""
    prev_hash: str = ""

    @property
    def words(self) -> str:
        """
        >>> Event(1, "", "", "run_finished", "run", (), {}, "").words
        'run finished'
        >>> Event(1, "", "", "drift_found", "system", (), {}, "").words        # of an earlier release
        'drift detected'
        """
        return current_kind(self.kind).replace("_", " ")

    @property
    def sentence(self) -> str:
        """The detail in a few words; of a forged one whatever it says.

        >>> Event(1, "", "", "audit_verified", "audit", (), {"holds": True, "rows": 45, "seconds": "0.02", "why": ""}, "").sentence
        'Verified 45 events in 0.02 s'
        >>> Event(1, "", "tidemark", "recorded", "system", ("run:ab12",), {"seals": {"run:ab12": "9f"}}, "").sentence
        'Stored rows: 1 sealed by hash'
        >>> Event(1, "", "", "downloaded", "user", (), {"what": "equity", "form": "csv"}, "").sentence
        'Downloaded equity (CSV)'
        """
        detail = self.detail
        try:
            if self.kind == "audit_verified" and "seconds" in detail:
                return f"Verified {int(detail['rows']):,} events in {float(detail['seconds']):g} s"
            if self.kind == "recorded":
                return _seals(detail["seals"])
            if self.kind == RECONCILED:
                count = reconciliation_of(detail).count
                return "Both ledgers agree" if not count else f"{count:,} difference{'s' if count > 1 else ''}"
        except (AttributeError, KeyError, TypeError, ValueError):
            return _pairs(detail)
        if self.kind == "downloaded":
            form = str(detail.get("form", ""))
            return f"Downloaded {str(detail.get('what', 'data')).replace('_', ' ')} ({FORMS.get(form, form.upper())})"
        for key in ("sentence", "why", "title", "name", "note"):
            if detail.get(key):
                return str(detail[key])
        return _pairs(detail)

    @property
    def refused(self) -> bool:
        """
        >>> Event(1, "", "", "job_failed", "job", (), {}, "").refused
        True
        """
        return is_refusal(self.kind)

    @property
    def replay(self) -> str:
        """What a replay of it computes again; empty where there is nothing to replay."""
        sent = self.kind in OF_SESSIONS and not any(name.startswith("session:") for name in self.entities)      # by a broker's side: nothing was decided
        return "" if sent else REPLAYS.get(current_kind(self.kind), "")

    @property
    def has_orders(self) -> bool:
        """Whether single orders inside it can be decided again."""
        return self.kind in ORDERS_OF and "trades" in self.detail


def _seals(seals: dict[str, Any]) -> str:
    """
    >>> _seals({"run:a": "9f", "run:b": "11", "dataset:c": None})
    'Stored rows: 2 sealed by hash, 1 removed'
    """
    removed = sum(seal is None for seal in seals.values())
    return "Stored rows: " + ", ".join(f"{count:,} {what}" for count, what in ((len(seals) - removed, "sealed by hash"), (removed, "removed")) if count)


def _pairs(detail: dict[str, Any]) -> str:
    shown = {key: value for key, value in detail.items() if isinstance(value, (str, int)) and 0 < len(str(value)) < 40}
    return ", ".join(f"{_key(str(key))}: {_word(value)}" for key, value in shown.items())


def _key(name: str) -> str:
    """
    >>> _key("bar_ts"), _key("order_id")
    ('bar time', 'order id')
    """
    return " ".join("time" if word == "ts" else word for word in name.split("_"))


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value).replace("_", " ")


def event_of(record: Record) -> Event:
    """The event of a row; of one whose text is no event of ours any more, its columns alone, whatever they hold."""
    try:
        body = json.loads(record.body)
        entities, detail = tuple(map(str, body.get("entities", ()))), dict(body.get("detail", {}))
    except (ValueError, TypeError, AttributeError):
        entities, detail = (), {"note": "The text of this row is no event; verify the trail."}
    ts, actor, kind, hash_, event_id, prev_hash = (value if isinstance(value, str) else repr(value) for value in (record.ts, record.actor, record.kind, record.hash, record.event_id, record.prev_hash))
    return Event(record.seq, ts, actor, kind, subject_of(kind), entities, detail, hash_, event_id, prev_hash)


def subject_of(kind: str) -> str:
    """
    >>> subject_of("dataset_imported"), subject_of("anything_else")
    ('data', 'system')
    """
    return SUBJECTS.get(kind.split("_")[0], "system")


def is_refusal(kind: str) -> bool:
    """Whether events of this kind say that something was refused or failed."""
    return kind.split("_")[-1] in REFUSED


def kinds_of(subjects: Iterable[str], kinds: Iterable[str]) -> tuple[str, ...]:
    """Of ``kinds`` those that are about one of ``subjects``."""
    wanted = set(subjects)
    return tuple(kind for kind in kinds if subject_of(kind) in wanted)
