"""Drift of models: the daily check on demand, its tables, and retraining after an alarm."""

from __future__ import annotations

import pandas as pd

from domain.errors import BadRequest, listed
from worker.desk.context import DeskContext, Submitted, required
from worker.desk.export import csv_of
from worker.store import Job, Run

KIND = "watch"              # of the job and of its run
TABLES = {"columns": "Drift of columns", "outcomes": "Outcomes over time"}


class Drifts:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def submit(self, model: str) -> Submitted:
        """Check a model (``NAME@VERSION``) now, on the bars after its training."""
        with self._context.store.read() as unit:
            at = unit.now()
        return self._context.submit(KIND, f"Drift of {model}", dict(model=model, day=f"{at:%Y-%m-%dT%H:%M:%S}"), queue="research")

    def of(self, model: str) -> Run | None:
        """The newest check of a model."""
        with self._context.store.read() as unit:
            return next((run for run in unit.runs.latest(KIND, 200) if run.spec.get("model") == model), None)

    def job(self, model: str) -> Job | None:
        """The newest job of a check, where it has not succeeded."""
        with self._context.store.read() as unit:
            job = next((job for job in unit.jobs.latest((), (KIND,), 50) if job.spec.get("model") == model), None)
        return job if job and job.state != "done" else None

    def table(self, check: str, name: str) -> pd.DataFrame:
        """``columns`` (column psi ks q reference recent effective alarm), ``outcomes`` (ts figure value low high nominal count alarm)."""
        with self._context.store.read() as unit:
            run = required(unit.runs.get(check), "check of drift", check)
        if name not in run.frames:
            raise BadRequest(f"check {check} has no table {name}; it has {listed(run.frames)}")
        return self._context.store.frames.get(run.frames[name])

    def download(self, check: str, name: str) -> bytes:
        """A table as CSV."""
        frame = self.table(check, name)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{check}", what=name, form="csv", rows=len(frame))
        return csv_of(frame)
