"""The audit trail: read, verified, exported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from domain.audit import Record, plain
from worker import evidence
from worker.desk.context import DeskContext, Submitted
from worker.desk.export import csv_of
from worker.store import Filter

FORMS = {"parquet": "Parquet", "jsonl": "JSONL"}
SUBJECTS = {            # subject of an event, by the first word of its kind
    "job": "job", "run": "run", "dataset": "data", "file": "data", "audit": "audit", "checkpoint": "audit", "restored": "audit", "witness": "audit", "kernel": "system", "settings": "system",
    "batch": "run", "downloaded": "user", "example": "data", "recipe": "data", "outside": "data", "cost": "data",
}  # fmt: skip


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

    @property
    def words(self) -> str:
        """
        >>> Event(1, "", "", "run_finished", "run", (), {}, "").words
        'run finished'
        """
        return self.kind.replace("_", " ")

    @property
    def sentence(self) -> str:
        """The detail in a few words.

        >>> Event(1, "", "", "audit_verified", "audit", (), {"holds": True, "rows": 45, "seconds": 0.02, "why": ""}, "").sentence
        'Verified 45 events in 0.02 s'
        >>> Event(1, "", "", "downloaded", "user", (), {"what": "equity", "form": "csv"}, "").sentence
        'Downloaded equity (CSV)'
        """
        detail = self.detail
        if self.kind == "audit_verified":
            return f"Verified {detail.get('rows', 0):,} events in {detail.get('seconds', 0):g} s"
        if self.kind == "downloaded":
            form = str(detail.get("form", ""))
            return f"Downloaded {str(detail.get('what', 'data')).replace('_', ' ')} ({FORMS.get(form, form.upper())})"
        for key in ("sentence", "why", "title", "name", "note"):
            if detail.get(key):
                return str(detail[key])
        shown = {key: value for key, value in detail.items() if isinstance(value, (str, int)) and 0 < len(str(value)) < 40}
        return ", ".join(f"{key.replace('_', ' ')}: {_word(value)}" for key, value in shown.items())


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value).replace("_", " ")


class TrailView:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def page(self, wanted: Filter = Filter(), number: int = 1, size: int = 50) -> tuple[list[Event], int]:
        """One page of events, newest first, and how many there are in all."""
        with self._context.store.read() as unit:
            return [event_of(record) for record in unit.trail.page(wanted, size, (number - 1) * size)], unit.trail.count(wanted)

    def history(self, entity: str) -> list[Event]:
        """All events of one job, run or dataset, oldest first."""
        with self._context.store.read() as unit:
            return [event_of(record) for record in unit.trail.all(Filter(entity=entity))]

    def kinds(self) -> list[str]:
        with self._context.store.read() as unit:
            return unit.trail.kinds()

    def actors(self) -> list[str]:
        with self._context.store.read() as unit:
            return unit.trail.actors()

    def head(self) -> tuple[int, str, str]:
        """Rows, the hash of the last, and the root of the tree over all."""
        with self._context.store.read() as unit:
            rows, head = unit.trail.head()
            return rows, head, unit.trail.root(rows)

    def verified(self) -> dict[str, Any] | None:
        """The last full check: when, how many rows, and whether it held."""
        with self._context.store.read() as unit:
            return evidence.last(unit.fact(evidence.FACT))

    def verified_by_person(self) -> bool:
        """Whether a user has verified the whole trail; the system itself verifies it periodically."""
        with self._context.store.read() as unit:
            return unit.trail.count(Filter(kinds=("audit_verified",))) > 0

    def verify(self) -> Submitted:
        """Verify the whole trail in the background."""
        with self._context.store.read() as unit:
            last = next(iter(unit.jobs.latest(kinds=("verify_audit",), limit=1)), None)
        if last and last.open:
            return Submitted(last, False)
        return self._context.submit("verify_audit", "Verify the audit trail", {}, key=f"verify_audit after {last.id if last else 'none'}")

    def verify_now(self) -> dict[str, Any]:
        """Verify the whole trail in this process, for the terminal."""
        return evidence.check(self._context.store, self._context.user)

    def per_hour(self, since: str, until: str) -> pd.DataFrame:
        """``hour`` (UTC), ``subject``, ``events``."""
        with self._context.store.read() as unit:
            rows = unit.trail.per_hour(since, until)
        frame = pd.DataFrame([(f"{hour}:00:00Z", subject_of(kind), count) for hour, kind, count in rows], columns=["hour", "subject", "events"])
        return frame.groupby(["hour", "subject"], as_index=False)["events"].sum().assign(hour=lambda f: pd.to_datetime(f["hour"], utc=True))

    def csv(self, wanted: Filter = Filter()) -> bytes:
        """A view for people: one row an event, safe to open in a spreadsheet, with seq and hash."""
        rows = [dict(seq=r.seq, ts=r.ts, actor=r.actor, kind=r.kind, body=r.body, prev_hash=r.prev_hash, hash=r.hash) for r in self._taken(wanted, "csv")]
        return csv_of(pd.DataFrame(rows, columns=["seq", "ts", "actor", "kind", "body", "prev_hash", "hash"]))

    def jsonl(self, wanted: Filter = Filter()) -> bytes:
        """One line an event: seq, both hashes, and the exact canonical body as text."""
        lines = (json.dumps(dict(seq=r.seq, prev_hash=r.prev_hash, hash=r.hash, body=r.body), ensure_ascii=False, separators=(",", ":")) for r in self._taken(wanted, "jsonl"))
        return ("\n".join(lines) + "\n").encode()

    def _taken(self, wanted: Filter, form: str) -> Iterator[Record]:
        """The matching events; the export is recorded as an event."""
        with self._context.store.read() as unit:
            records = list(unit.trail.all(wanted))
        with self._context.store.unit() as unit:
            filter_ = {key: value for key, value in plain(wanted.__dict__).items() if value}
            unit.audit(self._context.user, "downloaded", "audit:trail", what="audit trail", form=form, events=len(records), filter=filter_)
        return iter(records)


def event_of(record: Record) -> Event:
    body = json.loads(record.body)
    return Event(record.seq, record.ts, record.actor, record.kind, subject_of(record.kind), tuple(body.get("entities", ())), body.get("detail", {}), record.hash)


def subject_of(kind: str) -> str:
    """
    >>> subject_of("dataset_imported"), subject_of("anything_else")
    ('data', 'system')
    """
    return SUBJECTS.get(kind.split("_")[0], "system")
