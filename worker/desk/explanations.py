"""Explanations of a run of training: submission, and the tables that the job stored."""

from __future__ import annotations

from typing import Any

import pandas as pd

from domain.errors import BadRequest, listed
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import csv_of
from worker.store import Job, Run

KIND = "explain"            # of the job and of its run
TABLES = {"importance": "Permutation importance", "dependence": "Partial dependence", "boundary": "Boundaries of two columns", "contributions": "Contributions by sample"}


class Explanations:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def submit(self, run_id: str) -> Submitted:
        """Explain the models of a run's folds on their test parts, which they have not seen."""
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
        if run.kind != "train":
            raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}; choose a run of training")
        if run.summary.get("partial"):
            raise BadRequest(f"run {run_id} is partial; resume it first, then explain it")
        spec = dict(run=run_id)
        return self._context.submit(KIND, f"Explain {run.name or run.title}", spec, queue="research", key=key_of(KIND, spec))

    def of(self, run_id: str) -> Run | None:
        """The newest explanation of a run."""
        return next((run for run in self._every() if run.spec.get("run") == run_id), None)

    def job(self, run_id: str) -> Job | None:
        """The newest job of a run's explanation, where it has not succeeded."""
        with self._context.store.read() as unit:
            job = next((job for job in unit.jobs.latest((), (KIND,), 50) if job.spec.get("run") == run_id), None)
        return job if job and job.state != "done" else None

    def table(self, explanation: str, name: str) -> pd.DataFrame:
        """``name``: importance, dependence, boundary, contributions."""
        with self._context.store.read() as unit:
            run = required(unit.runs.get(explanation), "explanation", explanation)
        if name not in run.frames:
            raise BadRequest(f"explanation {explanation} has no table {name}; it has {listed(run.frames)}")
        return self._context.store.frames.get(run.frames[name])

    def download(self, explanation: str, name: str) -> bytes:
        """A table as CSV."""
        frame = self.table(explanation, name)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{explanation}", what=name, form="csv", rows=len(frame))
        return csv_of(frame)

    def _every(self) -> list[Any]:
        with self._context.store.read() as unit:
            return list(unit.runs.latest(KIND, 100))
