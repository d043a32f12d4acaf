"""The whole story of one order, run, model, session, job or dataset: its events oldest first, and what decided it."""

from __future__ import annotations

from dataclasses import dataclass

from worker.desk import lineage
from worker.desk.context import DeskContext
from worker.desk.events import Event, event_of
from worker.desk.lineage import Fact
from worker.store import Filter, Unit
from worker.store.seals import Altered

MOST = 500          # events of a story that are read


@dataclass(frozen=True)
class Story:
    """``events``: oldest first, the first ``MOST`` of ``total``. ``facts``: by what it was decided. ``altered``: a sentence where its row is not the one
    that was recorded."""

    entity: str
    title: str
    events: tuple[Event, ...]
    total: int
    facts: tuple[Fact, ...]
    altered: str = ""


class Stories:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def of(self, entity: str) -> Story:
        """The story of ``kind:id``; without an event where the trail names no such entity. A run's includes its job's."""
        kind, _, name = entity.partition(":")
        with self._context.store.read() as unit:
            entities = [entity, *self._with(unit, kind, name)]
            by_seq = {event.seq: event for each in entities for event in map(event_of, unit.trail_index.page(Filter(entity=each), MOST, after=0))}
            total = sum(unit.trail_index.count(Filter(entity=each)) for each in entities) if len(by_seq) >= MOST else len(by_seq)
            events = tuple(by_seq[seq] for seq in sorted(by_seq))[:MOST]
            facts, title = self._facts(unit, kind, name, events)
            altered = _altered(unit, kind, name)
        return Story(entity, title or entity.replace(":", " ", 1), events, total, tuple(facts), altered)

    def altered_runs(self, *kinds: str) -> dict[str, str]:
        """Run id -> a sentence, of the latest runs of these kinds (none: of all) that are not the ones that were recorded. Lists leave them out."""
        with self._context.store.read() as unit:
            return unit.runs.altered(kinds)

    def altered_datasets(self) -> dict[str, str]:
        """Dataset id -> a sentence, of those that are not the ones that were recorded."""
        with self._context.store.read() as unit:
            return unit.datasets.altered()

    def _with(self, unit: Unit, kind: str, name: str) -> list[str]:
        run = unit.runs.as_stored(name) if kind == "run" else None
        return [f"job:{run.job_id}"] if run else []

    def _facts(self, unit: Unit, kind: str, name: str, events: tuple[Event, ...]) -> tuple[list[Fact], str]:
        if kind == "run" and (run := unit.runs.as_stored(name)):
            return lineage.of_run(run, _first(events, "run_finished", "gate_passed", "gate_refused", "run_histories_drawn", "model_trained", "training_stopped")), run.name or run.title
        if kind == "dataset" and (dataset := unit.datasets.as_stored(name)):
            return lineage.of_dataset(dataset, _first(events, "dataset_imported", "dataset_appended")), f"{dataset.instrument} {dataset.timeframe}"
        if kind == "job" and (job := unit.jobs.get(name)):
            return lineage.of_job(job, _first(events, "job_submitted")), job.title
        return lineage.of_events(events), ""


def _altered(unit: Unit, kind: str, name: str) -> str:
    """A sentence where the row of a run or dataset is not the one that its event seals."""
    try:
        if kind in ("run", "dataset"):
            (unit.runs if kind == "run" else unit.datasets).get(name)
    except Altered as fault:
        return str(fault)
    return ""


def _first(events: tuple[Event, ...], *kinds: str) -> Event | None:
    return next((event for event in events if event.kind in kinds), None)
