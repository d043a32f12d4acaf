"""Runs and jobs of any kind, in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from domain.errors import unknown
from worker.desk.context import DeskContext, required
from worker.store import Job, JobFilter, Run
from worker.store.former_names import current


@dataclass(frozen=True)
class Part:
    """What to list: at most ``limit``, from ``since`` on and before ``until``, after the item ``before`` (its time and id)."""

    limit: int = 100
    before: tuple[datetime, str] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Runs:
    """A part of the runs. ``altered``: id -> what is wrong, of those that are not the ones that were recorded; ``last``: time and id of the last one, where more may follow."""

    rows: list[Run]
    altered: Mapping[str, str]
    last: tuple[datetime, str] | None


class Listing:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def runs(self, kinds: Sequence[str], part: Part = Part()) -> Runs:
        """Newest first; of all kinds where none is named."""
        with self._context.store.read() as unit:
            return Runs(*unit.runs.part(kinds, part.limit, part.before, part.since, part.until))

    def jobs(self, states: Sequence[str], kinds: Sequence[str], part: Part = Part()) -> list[Job]:
        """Newest first."""
        with self._context.store.read() as unit:
            return unit.jobs.part(JobFilter(states, kinds), part.limit, part.before, part.since, part.until)

    def table(self, run: Run, name: str) -> pd.DataFrame:
        """One of the tables of a run."""
        if name not in run.frames:
            raise unknown("table", name, run.frames)
        return current(self._context.store.frames.get(run.frames[name]))

    def run(self, run_id: str, *kinds: str) -> Run:
        """The run, if it is of one of these kinds."""
        with self._context.store.read() as unit:
            run = unit.runs.get(run_id)
        return required(run if run and (not kinds or run.kind in kinds) else None, "run" if len(kinds) != 1 else kinds[0].replace("_", " "), run_id)
