"""The audit trail: read, verified, exported."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy.exc import DataError, IntegrityError, InternalError, ProgrammingError

from domain.audit import Record, plain
from domain.audit.kinds import current_kind
from domain.errors import BadRequest
from worker import evidence
from worker.desk.checkpoints import CheckpointsView
from worker.desk.context import DeskContext, Submitted
from worker.desk.events import Event as Event
from worker.desk.events import event_of as event_of
from worker.desk.events import kinds_of
from worker.desk.events import subject_of as subject_of
from worker.desk.export import csv_of
from worker.store import Filter, SignedCheckpoint
from worker.store.append import TrailBroken

log = logging.getLogger("trail")
STAMP = "%Y-%m-%dT%H:%M:%SZ"
MOST = 10_000       # matching events are counted exactly up to here


class TrailView:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def page(self, wanted: Filter = Filter(), number: int = 1, size: int = 50) -> tuple[list[Event], int]:
        """One page of events, newest first, and how many there are in all."""
        with self._context.store.read() as unit:
            return [event_of(record) for record in unit.trail.page(wanted, size, (number - 1) * size)], unit.trail.count(wanted)

    def rows(self, wanted: Filter = Filter(), size: int = 50, before: int | None = None, after: int | None = None) -> list[Event]:
        """The ``size`` events below number ``before``, or directly above ``after``, newest first: as fast at a million events as at ten."""
        with self._context.store.read() as unit:
            return [event_of(record) for record in unit.trail_index.page(wanted, size, before, after)]

    def total(self, wanted: Filter = Filter()) -> tuple[int, bool]:
        """How many events match, and whether that is exact: no more than ``MOST`` are counted, unless all match."""
        with self._context.store.read() as unit:
            count = unit.trail_index.count(wanted, MOST)
        return (count, True) if wanted == Filter() or count <= MOST else (MOST, False)

    def find(self, name: str) -> Event:
        """The event with this number, id or hash."""
        with self._context.store.read() as unit:
            record, rows = unit.trail_index.named(name), unit.trail.head()[0]
        if record is None:
            raise BadRequest(f"there is no audit event {name.strip()}; the trail has events 1 to {rows:,}. Give the number, the id or the hash of one")
        return event_of(record)

    def of_subjects(self, subjects: Sequence[str]) -> tuple[str, ...]:
        """The kinds of event there are about any of ``subjects``; a kind that no event has where there are none."""
        return kinds_of(subjects, self.kinds()) or ("none",) if subjects else ()

    def replay(self, name: str, order: int = 0, instrument: str = "") -> Submitted:
        """Compute the decision of an event again, in the background; a double click is one job, a later click another.

        ``order``: number of one order inside the event's run, of ``instrument`` (empty: the run's first)."""
        event = self.find(name)
        if not event.replay:
            raise BadRequest(f"event {event.seq:,} ({event.words}) records no decision that can be computed again; choose an event of a run, an order of a session, a dataset, a job or a verification")
        if order and not event.has_orders:
            raise BadRequest(f"event {event.seq:,} ({event.words}) has no orders; choose the event of a finished backtest, or leave the order out")
        if order < 0:
            raise BadRequest(f"order {order} is no number of an order; they begin at 1")
        with self._context.store.read() as unit:
            before = unit.trail_index.count(Filter(entity=f"event:{event.seq}", kinds=("decision_replayed",)))
        spec: dict[str, Any] = dict(seq=event.seq, **(dict(order=order, instrument=instrument) if order else {}))
        title = f"Replay event {event.seq:,}" + (f", order {order:,}" if order else "")
        return self._context.submit("replay", title, spec, key=f"replay {event.seq} {order} {instrument} after {before}")

    def replays(self, seq: int) -> list[Event]:
        """Replays of an event, newest first."""
        return self.rows(Filter(entity=f"event:{seq}", kinds=("decision_replayed",)))

    def history(self, entity: str) -> list[Event]:
        """All events of one job, run or dataset, oldest first."""
        with self._context.store.read() as unit:
            return [event_of(record) for record in unit.trail.all(Filter(entity=entity))]

    def kinds(self) -> list[str]:
        with self._context.store.read() as unit:
            recorded = [kind for kind in unit.trail.kinds() if isinstance(kind, str)]     # a garbage row may hold anything
        return sorted({current_kind(kind) for kind in recorded})

    def actors(self) -> list[str]:
        with self._context.store.read() as unit:
            return [actor for actor in unit.trail.actors() if isinstance(actor, str)]

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
        return evidence.check(self._context.store, self._context.user, tables=True)

    def per_hour(self, since: str, until: str) -> pd.DataFrame:
        """``hour`` (UTC), ``subject``, ``events``."""
        with self._context.store.read() as unit:
            rows = unit.trail.per_hour(since, until)
        frame = pd.DataFrame([(f"{hour}:00:00Z", subject_of(str(kind)), count) for hour, kind, count in rows], columns=["hour", "subject", "events"])
        counted = frame.groupby(["hour", "subject"], as_index=False)["events"].sum()
        return counted.assign(hour=pd.to_datetime(counted["hour"], utc=True, errors="coerce")).dropna(ignore_index=True)

    def csv(self, wanted: Filter = Filter()) -> bytes:
        """A view for people: one row an event, safe to open in a spreadsheet, with seq and hash; the last row is the last checkpoint, if there is one."""
        records, checkpoint = self._taken(wanted, "csv")
        rows: list[dict[str, Any]] = [dict(seq=r.seq, ts=r.ts, actor=r.actor, kind=r.kind, body=r.body, prev_hash=r.prev_hash, hash=r.hash) for r in records]
        rows += [dict(seq="", ts=f"{checkpoint.at:{STAMP}}", actor="", kind="checkpoint", body=checkpoint.note, prev_hash="", hash=checkpoint.root)] if checkpoint else []
        return csv_of(pd.DataFrame(rows, columns=["seq", "ts", "actor", "kind", "body", "prev_hash", "hash"], dtype=object))

    def jsonl(self, wanted: Filter = Filter()) -> bytes:
        """One line an event: seq, both hashes, and the exact canonical body as text; the last line is the last checkpoint, if there is one."""
        records, checkpoint = self._taken(wanted, "jsonl")
        lines: list[dict[str, Any]] = [dict(seq=r.seq, prev_hash=r.prev_hash, hash=r.hash, body=r.body) for r in records]
        lines += [dict(checkpoint=checkpoint.note)] if checkpoint else []
        return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines).encode()

    def text(self, seq: int) -> bytes:
        """The exact canonical text of one event; the download is an event too."""
        with self._context.store.read() as unit:
            record = unit.trail_index.named(str(seq))
        if record is None:
            raise BadRequest(f"there is no audit event {seq:,}")
        self._left("event", "json", event=seq, hash=record.hash)
        return record.body.encode()

    def table(self, frame: pd.DataFrame, name: str, entity: str = "audit:trail") -> bytes:
        """A table that a page has drawn, as CSV; the download is an event of ``entity``."""
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", entity, what=name, form="csv", rows=len(frame))
        return csv_of(frame)

    def checkpoint_file(self) -> bytes:
        """The last checkpoint with its cosignatures, for a person to keep elsewhere; the download is an event."""
        self._left("checkpoint", "txt")
        return CheckpointsView(self._context).latest_text().encode()

    def key_file(self) -> bytes:
        """The public keys, for a person to keep elsewhere; the download is an event."""
        self._left("public key", "txt")
        return CheckpointsView(self._context).key_text().encode()

    def _left(self, what: str, form: str, **detail: Any) -> None:
        """Record the download. A trail that is so damaged that it takes no more events leaves all the same, as evidence."""
        try:
            with self._context.store.unit() as unit:
                unit.audit(self._context.user, "downloaded", "audit:trail", what=what, form=form, **detail)
        except (TrailBroken, IntegrityError, DataError, InternalError, ProgrammingError):
            log.exception("the audit trail takes no more events; a download of it (%s) is not recorded", what)

    def _taken(self, wanted: Filter, form: str) -> tuple[list[Record], SignedCheckpoint | None]:
        """The matching events and the last checkpoint; the export is recorded as an event."""
        with self._context.store.read() as unit:
            records, checkpoint = list(unit.trail.all(wanted)), unit.checkpoints.latest()
        filter_ = {key: value for key, value in plain(wanted.__dict__).items() if value}
        self._left("audit trail", form, events=len(records), filter=filter_)
        return records, checkpoint
