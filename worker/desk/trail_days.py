"""The trail by days, its gaps, and reconciliations with a broker's ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.audit.gaps import LOST, STARTED, STOPPED, Change, Gap, without_checkpoint, without_process
from domain.audit.reconciliation import KIND as RECONCILED
from domain.audit.reconciliation import Reconciliation, reconciliation_of
from domain.audit.tampering import HONEST, KINDS, Tampering
from worker.desk.context import DeskContext
from worker.desk.events import Event, event_of, is_refusal, subject_of
from worker.store import Filter
from worker.store.checkpoints import HEARTBEATS_KEPT

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
            day.refused += count if is_refusal(str(kind)) else 0
            day.first, day.last = min(day.first, first), max(day.last, last)
            subject = subject_of(str(kind))
            day.subjects[subject] = day.subjects.get(subject, 0) + count
        return [days[at] for at in sorted(days, reverse=True)]

    def first(self) -> datetime | None:
        """When the first event was recorded; None in an empty trail."""
        with self._context.store.read() as unit:
            first, _ = unit.trail_index.edges()
        try:
            return datetime.fromisoformat(first).astimezone(UTC) if first else None
        except ValueError:
            return None

    def checkpoints(self, since: str, until: str) -> dict[str, int]:
        """Day -> number of checkpoints signed, of the days from ``since`` to ``until``, both as ISO text."""
        with self._context.store.read() as unit:
            first, last = _midnight(since), _midnight(until) + timedelta(days=1)
            return dict(Counter(f"{at:%Y-%m-%d}" for at in unit.trail_index.checkpoint_times(first, last) if at >= first))

    def gaps(self, since: str, most: timedelta) -> list[Gap]:
        """Spans that end after ``since`` (ISO text) without a checkpoint for longer than ``most``, without a worker, or without a scheduler; newest first.

        Those without a checkpoint of the last days only: earlier heartbeats are in the file outside the database alone.
        """
        with self._context.store.read() as unit:
            now = unit.now()
            records = unit.trail_index.page(Filter(kinds=CHANGES), MOST)
            taken = unit.trail_index.checkpoint_times(max(_midnight(since), now - HEARTBEATS_KEPT))
        events = [event_of(record) for record in records]
        gaps = without_checkpoint(taken, most, now)
        for what in PROCESSES:
            gaps += without_process([change for event in events if event.detail.get("process") == what and (change := _change(event))], what)
        return sorted((gap for gap in gaps if f"{gap.end or now:%Y-%m-%d}" >= since), key=lambda gap: gap.start, reverse=True)

    def tamperings(self) -> tuple[tuple[Tampering, ...], tuple[str, ...]]:
        """The nine kinds of tampering, and sentences on what verification does not show."""
        return KINDS, HONEST

    def reconciliations(self, most: int = 100) -> list[tuple[Event, Reconciliation]]:
        """Comparisons with brokers' ledgers, newest first; a row that is none, though its kind says so, is left to the verification."""
        with self._context.store.read() as unit:
            events = [event_of(record) for record in unit.trail_index.page(Filter(kinds=(RECONCILED,)), most)]
        return [(event, result) for event in events if (result := _reconciliation(event)) is not None]


def _reconciliation(event: Event) -> Reconciliation | None:
    try:
        return reconciliation_of(event.detail)
    except (KeyError, TypeError, ValueError):
        return None


def _midnight(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def _change(event: Event) -> Change | None:
    """When the process began or ended: of a lost one that was its last heartbeat, not when someone noticed. None for a row without a time."""
    at = event.detail.get("seen", event.ts) if event.kind == LOST else event.ts
    try:
        return Change(datetime.fromisoformat(str(at)), event.entities[0] if event.entities else "", event.kind)
    except ValueError:
        return None
