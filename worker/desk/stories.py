"""The whole story of one order, run, model, session, job or dataset: its events oldest first, and what decided it."""

from __future__ import annotations

from dataclasses import dataclass

from worker.desk import lineage
from worker.desk.context import DeskContext
from worker.desk.events import Event, event_of
from worker.desk.lineage import Fact
from worker.store import Filter, Unit

MOST = 500          # events of a story that are read


@dataclass(frozen=True)
class Story:
    """``events``: oldest first, the first ``MOST`` of ``total``. ``facts``: by what it was decided."""

    entity: str
    title: str
    events: tuple[Event, ...]
    total: int
    facts: tuple[Fact, ...]


class Stories:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def of(self, entity: str) -> Story:
        """The story of ``kind:id``; without an event where the trail names no such entity. A run's includes its job's."""
        kind, _, name = entity.partition(":")
        with self._context.store.read() as unit:
            entities = [entity, *self._with(unit, kind, name)]
            found = {event.seq: event for each in entities for event in map(event_of, unit.trail_index.page(Filter(entity=each), MOST, after=0))}
            total = sum(unit.trail_index.count(Filter(entity=each)) for each in entities) if len(found) >= MOST else len(found)
            events = tuple(found[seq] for seq in sorted(found))[:MOST]
            facts, title = self._facts(unit, kind, name, events)
        return Story(entity, title or entity.replace(":", " ", 1), events, total, tuple(facts))

    def _with(self, unit: Unit, kind: str, name: str) -> list[str]:
        run = unit.runs.get(name) if kind == "run" else None
        return [f"job:{run.job_id}"] if run else []

    def _facts(self, unit: Unit, kind: str, name: str, events: tuple[Event, ...]) -> tuple[list[Fact], str]:
        if kind == "run" and (run := unit.runs.get(name)):
            return lineage.of_run(run, _first(events, "run_finished", "gate_passed", "gate_refused", "run_histories_drawn")), run.name or run.title
        if kind == "dataset" and (dataset := unit.datasets.get(name)):
            return lineage.of_dataset(dataset, _first(events, "dataset_imported")), f"{dataset.instrument} {dataset.timeframe}"
        if kind == "job" and (job := unit.jobs.get(name)):
            return lineage.of_job(job, _first(events, "job_submitted")), job.title
        return lineage.of_events(events), ""


def _first(events: tuple[Event, ...], *kinds: str) -> Event | None:
    return next((event for event in events if event.kind in kinds), None)
