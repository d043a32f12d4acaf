"""The audit trail: read, verified, exported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from domain.audit import Record, plain
from domain.errors import BadRequest
from worker import evidence
from worker.desk.context import DeskContext, Submitted
from worker.desk.events import Event as Event
from worker.desk.events import event_of as event_of
from worker.desk.events import kinds_of
from worker.desk.events import subject_of as subject_of
from worker.desk.export import csv_of
from worker.store import Filter

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
            raise BadRequest(f"event {event.seq:,} ({event.words}) records no decision that can be computed again; choose an event of a run, a dataset, a job or a verification")
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

