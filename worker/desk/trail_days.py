"""The trail by days, its gaps, and reconciliations with a broker's ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.audit.gaps import LOST, STARTED, STOPPED, Change, Gap, without_checkpoint, without_process
from domain.audit.reconciliation import KIND as RECONCILED
from domain.audit.reconciliation import Reconciliation, reconciliation_of
from worker.desk.context import DeskContext
from worker.desk.events import Event, event_of, is_refusal, subject_of
from worker.store import Filter

PROCESSES = ("worker", "scheduler")
CHANGES = (STARTED, STOPPED, LOST)
MOST = 5_000        # starts and stops of processes that are read


@dataclass
class Day:
    """One UTC day: ``subjects``: subject -> events; ``refused``: of refusals and failures; numbers of the first and last event."""

    day: str
    events: int = 0
    refused: int = 0
    first: int = 0
    last: int = 0
    subjects: dict[str, int] = field(default_factory=dict)


class TrailDays:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def days(self, since: str, until: str) -> list[Day]:
        """Days with events, newest first. ``since``, ``until``: ISO text."""
        with self._context.store.read() as unit:
            rows = unit.trail_index.days(since, until)
        days: dict[str, Day] = {}
        for at, kind, count, first, last in rows:
            day = days.setdefault(at, Day(at, first=first))
            day.events += count
            day.refused += count if is_refusal(kind) else 0
            day.first, day.last = min(day.first, first), max(day.last, last)
            day.subjects[subject_of(kind)] = day.subjects.get(subject_of(kind), 0) + count
        return [days[at] for at in sorted(days, reverse=True)]

    def gaps(self, checkpoints: Sequence[datetime], most: timedelta, since: datetime) -> list[Gap]:
        """Spans that end after ``since`` without a checkpoint for longer than ``most``, without a worker, or without a scheduler; newest first."""
        with self._context.store.read() as unit:
            now = unit.now()
            records = unit.trail_index.page(Filter(kinds=CHANGES), MOST)
        events = [event_of(record) for record in records]
        gaps = without_checkpoint(checkpoints, most, now)
        for what in PROCESSES:
            gaps += without_process([_change(event) for event in events if event.detail.get("process") == what], what)
        return sorted((gap for gap in gaps if (gap.end or now) >= since), key=lambda gap: gap.start, reverse=True)

    def reconciliations(self, most: int = 100) -> list[tuple[Event, Reconciliation]]:
        """Comparisons with brokers' ledgers, newest first."""
        with self._context.store.read() as unit:
            records = unit.trail_index.page(Filter(kinds=(RECONCILED,)), most)
        return [(event, reconciliation_of(event.detail)) for event in map(event_of, records)]


def _change(event: Event) -> Change:
    """When the process began or ended: of a lost one that was its last heartbeat, not when someone noticed."""
    at = event.detail.get("seen", event.ts) if event.kind == LOST else event.ts
    return Change(datetime.fromisoformat(at), event.entities[0] if event.entities else "", event.kind)
