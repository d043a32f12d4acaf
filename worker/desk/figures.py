"""Figures of the installation, for those who watch it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from worker.desk.context import DeskContext
from worker.dispatch import QUEUES

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Figures:
    """``waiting``: jobs by queue; ``jobs``: of the last day by kind and state; ``seconds``: mean of those that are done, by kind; ``uncovered``: audit events after the last checkpoint;
    ``lateness``: seconds from the instant that a session worked last to its commit, of sessions on live prices."""

    waiting: Mapping[str, int]
    jobs: Mapping[tuple[str, str], int]
    seconds: Mapping[str, float]
    uncovered: int
    lateness: Mapping[str, float]


def figures(context: DeskContext) -> Figures:
    with context.store.read() as unit:
        counts, waiting = unit.jobs.made_since(unit.now() - DAY), dict.fromkeys(QUEUES, 0) | unit.jobs.depths()
        covered, rows = unit.checkpoints.latest(), unit.trail.head()[0]
        live = [session.name for session in unit.sessions.all(("running",)) if session.source.get("feed") in ("oanda", "mt5")]
        states = {name: unit.sessions.progress(name) for name in live}
    took: dict[str, list[float]] = {}
    for kind, state, began, ended in counts:
        if state == "done" and began and ended:
            took.setdefault(kind, []).append((ended - began).total_seconds())
    counted = Counter((kind, state) for kind, state, _, _ in counts)
    late = {name: max(state.at.timestamp() - state.ts / 1e9, 0.0) for name, state in states.items() if state and state.ts}
    return Figures(waiting, counted, {kind: sum(each) / len(each) for kind, each in took.items()}, rows - (covered.size if covered else 0), late)
