"""Policies of a run of training: what can be chosen, submission, the comparison and the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.params import Param, build, params_of, values_of
from domain.training.actions import ActionGrid
from domain.training.policy import POLICIES
from domain.training.policy_file import FILE, chosen_policies, refuse_target, written
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import csv_of
from worker.desk.features import Features
from worker.store import Job, Run, Unit

KIND = "policies"
EVERY = "heuristic,learned"


class PolicyView:
    """``run.summary`` of a finished one: ``policies`` (rows of the comparison), ``fitted, grid, actions, question``."""

    def __init__(self, context: DeskContext) -> None:
        self._context, self._features = context, Features(context)

    def grid(self) -> tuple[Param, ...]:
        """What the actions are made of."""
        return params_of(ActionGrid)

    def policies(self) -> dict[str, str]:
        """Name -> what it does."""
        return {name: " ".join((cls.__doc__ or "").split()) for name, cls in POLICIES.items()}

    def why_not(self, run: Run) -> str:
        """Why a run of training can have no policies; empty where it can."""
        if run.summary.get("partial"):
            return "A partial run has no policies. Resume it first."
        try:
            refuse_target(str(run.spec["target"]))
        except BadRequest as refused:
            return f"{str(refused)[:1].upper()}{str(refused)[1:]}."
        return "" if run.spec["scheme"] == "walk_forward" else "Policies are judged by one account that trades the tests one after the other. Train with walk-forward splits."

    def submit(self, run_id: str, grid: Mapping[str, Any] = {}, policies: str = EVERY, params: Mapping[str, Any] = {}) -> Submitted:
        """Fit and replay them on the run's folds. ``grid``: changed values of ``ActionGrid``. An identical request on the same code returns the existing job."""
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
        if run.kind != "train":
            raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}; choose a run of training")
        if reason := self.why_not(run):
            raise BadRequest(reason)
        actions = build(ActionGrid, grid)
        actions.actions()
        spec = dict(run=run_id, grid=values_of(actions), policies={name: dict(given) for name, given in chosen_policies(policies, params).items()})
        return self._context.submit(KIND, f"Policies of {run.name or run.title}", spec, queue="research", key=key_of(KIND, spec))

    def get(self, run_id: str) -> Run:
        return self._features.get(run_id, KIND)

    def of(self, run_id: str) -> Run | None:
        """The newest policies of a run of training."""
        with self._context.store.read() as unit:
            return newest(unit, run_id)

    def job(self, run_id: str) -> Job | None:
        """The newest job of a run's policies, where it has not succeeded."""
        with self._context.store.read() as unit:
            job = next((job for job in unit.jobs.latest((), (KIND,), 50) if job.spec.get("run") == run_id), None)
        return job if job and job.state != "done" else None

    def table(self, policy: str, name: str = "table") -> pd.DataFrame:
        """``name``: table (a row a way to trade) or choices (a row a tested signal and policy)."""
        return self._context.store.frames.get(self.get(policy).frames[name])

    def file(self, policy: str) -> bytes:
        """policies.json, as ``tidemark policy value`` reads it."""
        return written(self.get(policy).summary)

    def download(self, policy: str, name: str) -> bytes:
        """The choices as CSV, or policies.json (``name`` file)."""
        content = self.file(policy) if name == "file" else csv_of(self.table(policy, name))
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{policy}", what=name, form="json" if name == "file" else "csv")
        return content


def newest(unit: Unit, run_id: str) -> Run | None:
    return next((run for run in unit.runs.latest(KIND, 100) if run.spec.get("run") == run_id), None)


def files_with(unit: Unit, store: Any, run_id: str, files: Mapping[str, str]) -> dict[str, str]:
    """A run's files, and the policies that were fitted to its folds, which a version of it keeps."""
    policy = newest(unit, run_id)
    return dict(files) if policy is None else dict(files) | dict(store.blobs.put_all({FILE: written(policy.summary)}))
