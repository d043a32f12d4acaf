"""Gaps in the evidence: spans without a checkpoint, and spans in which no process of a kind ran."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

STARTED, STOPPED, LOST = "process_started", "process_stopped", "process_lost"


@dataclass(frozen=True)
class Gap:
    """A span in which something was missing. ``end`` None: it lasts. ``since_crash``: the process did not stop in order, so ``start`` is its last heartbeat."""

    what: str           # checkpoint, worker or scheduler
    start: datetime
    end: datetime | None
    since_crash: bool = False

    def seconds(self, now: datetime) -> float:
        return ((self.end or now) - self.start).total_seconds()


@dataclass(frozen=True)
class Change:
    """A process began or ended. ``at``: when; of a lost one, its last heartbeat."""

    at: datetime
    process: str
    kind: str           # process_started, process_stopped or process_lost


def without_checkpoint(taken: Sequence[datetime], most: timedelta, now: datetime) -> list[Gap]:
    """Spans of more than ``most`` between two checkpoints, and since the last; ``taken`` in any order.

    >>> from datetime import UTC
    >>> at = [datetime(2026, 11, 20, 14, minute, tzinfo=UTC) for minute in (0, 1, 9)]
    >>> [gap.seconds(at[-1]) for gap in without_checkpoint(at, timedelta(minutes=2), at[-1])]
    [480.0]
    """
    times = sorted(taken)
    between = [Gap("checkpoint", a, b) for a, b in pairwise(times) if b - a > most]
    return between + ([Gap("checkpoint", times[-1], None)] if times and now - times[-1] > most else [])


def without_process(changes: Iterable[Change], what: str) -> list[Gap]:
    """Spans between the end of the last running process of a kind and the start of the next.

    >>> from datetime import UTC
    >>> at = [datetime(2026, 11, 20, 14, minute, tzinfo=UTC) for minute in (0, 5, 9)]
    >>> [gap.end for gap in without_process([Change(at[0], "a", STARTED), Change(at[1], "a", STOPPED), Change(at[2], "b", STARTED)], "worker")] == [at[2]]
    True
    """
    running: set[str] = set()
    gaps: list[Gap] = []
    open_at, crashed = None, False
    for change in sorted(changes, key=lambda each: (each.at, each.kind == STARTED)):
        if change.kind == STARTED:
            if open_at is not None:
                gaps.append(Gap(what, open_at, change.at, crashed))
            running.add(change.process)
            open_at = None
        elif change.process in running:
            running.discard(change.process)
            if not running:
                open_at, crashed = change.at, change.kind == LOST
    return gaps + ([Gap(what, open_at, None, crashed)] if open_at is not None else [])
