"""Batches: the same backtest on several series, each on a separate account, grouped under one heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from worker.desk.backtests import BacktestRequest, Backtests
from worker.desk.context import DeskContext, required
from worker.desk.export import csv_of
from worker.store import Job, Run

FIGURES = ("net_return", "net_profit", "max_drawdown", "sharpe", "profit_factor", "expectancy_r", "win_rate", "trades")


@dataclass(frozen=True)
class Member:
    """One backtest of a batch; ``run`` is None until it is done, and once it was deleted."""

    job: Job
    run: Run | None


def request_per_dataset(request: BacktestRequest) -> list[BacktestRequest]:
    """One request for each of the request's datasets."""
    return [replace(request, datasets=[dataset]) for dataset in request.datasets]


class Batches:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._backtests = context, Backtests(context)

    def submit(self, questions: Sequence[BacktestRequest]) -> Run:
        """Queue every request, or none if one of them is not valid; returns the batch. Identical requests return the existing batch."""
        if not questions:
            raise BadRequest("no dataset is chosen; choose at least one, or import bars first")
        specs = [self._backtests.spec(request) for request in questions]
        jobs = [self._backtests.submit(request).job for request in questions]
        ids = list(dict.fromkeys(job.id for job in jobs))
        with self._context.store.unit() as unit:
            existing = next((batch for batch in unit.runs.latest("batch", 1_000) if batch.summary["jobs"] == ids), None)
            if existing:
                return existing
            title = f"{questions[0].strategy} on {len(ids)} series, each on its own account"
            synthetic = any(dataset.synthetic for dataset in unit.datasets.all() if dataset.version in {version for spec in specs for version in spec["datasets"]})
            values = dict(kind="batch", job_id="", title=title, spec=dict(questions=specs), manifest={}, summary=dict(jobs=ids), frames={}, actor=self._context.user, created_at=unit.now())
            batch_id = unit.runs.add(**values, synthetic=synthetic)
            unit.audit(self._context.user, "batch_submitted", f"run:{batch_id}", *(f"job:{job_id}" for job_id in ids), title=title)
            return required(unit.runs.get(batch_id), "batch", batch_id)

    def latest(self, limit: int = 20) -> list[Run]:
        """Newest first."""
        with self._context.store.read() as unit:
            return unit.runs.latest("batch", limit)

    def get(self, batch_id: str) -> Run:
        with self._context.store.read() as unit:
            batch: Run | None = unit.runs.get(batch_id)
        return required(batch if batch and batch.kind == "batch" else None, "batch", batch_id)

    def members(self, batch_id: str) -> list[Member]:
        """In the order in which the series were chosen."""
        ids = self.get(batch_id).summary["jobs"]
        with self._context.store.read() as unit:
            jobs = [job for job_id in ids if (job := unit.jobs.get(job_id))]
            return [Member(job, unit.runs.get(job.result["run"]) if job.state == "done" else None) for job in jobs]

    def table(self, batch_id: str) -> pd.DataFrame:
        """``run, job, bars, state`` and the first figures of each backtest; NaN where there are none yet."""
        rows = pd.DataFrame([_row(member) for member in self.members(batch_id)], columns=["run", "job", "bars", "state", *FIGURES])
        return rows.astype(dict(trades="Int64"))        # a count stays one beside a backtest that has none yet

    def download(self, batch_id: str) -> bytes:
        """The table as CSV."""
        table = self.table(batch_id)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{batch_id}", what="batch", form="csv", rows=len(table))
        return csv_of(table)

    def cancel(self, batch_id: str) -> int:
        """Cancel all open jobs of the batch; returns their number."""
        from worker.desk.jobs import JobList

        return sum(JobList(self._context).cancel(member.job.id) for member in self.members(batch_id) if member.job.open)

    def delete(self, batch_id: str) -> None:
        """Ungroup. Its runs stay."""
        batch = self.get(batch_id)
        with self._context.store.unit() as unit:
            unit.runs.remove([batch_id])
            unit.audit(self._context.user, "batch_deleted", f"run:{batch_id}", title=batch.title)


def _row(member: Member) -> dict[str, Any]:
    metrics = member.run.summary["metrics"] if member.run else {}
    state = "deleted" if member.job.state == "done" and not member.run else member.job.state
    bars = member.job.title.partition(" · ")[2]
    return dict(run=member.run.id if member.run else "", job=member.job.id, bars=bars, state=state, **{name: metrics.get(name) for name in FIGURES})
