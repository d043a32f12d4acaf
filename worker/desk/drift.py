"""Drift of models: checks that were made, a check now, and retraining, which makes a candidate and swaps nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.params import Param, build, params_of, values_of
from domain.training.drift_config import DriftConfig
from worker.desk.context import DeskContext, Submitted, required
from worker.desk.model_names import named
from worker.desk.training import Training, TrainingRequest
from worker.store import Run
from worker.store.newest import newest_of

KIND = "watch_models"       # of the job and of its run


@dataclass(frozen=True)
class DriftCheck:
    """One model in one check. ``state``: alarm, calm or unknown; ``alarms``: a sentence each; ``facts``: bars, samples, labelled, coverage, brier (rows), expected_brier
    (of probabilities whose outcome may not be known), learnt_brier (of the tests), until (the last label that it learnt from)."""

    run: str
    at: datetime
    model: str
    state: str
    sentence: str
    alarms: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


class Drift:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._training = context, Training(context)

    def params(self) -> tuple[Param, ...]:
        """When drift is called so."""
        return params_of(DriftConfig)

    def submit(self, model: str = "", config: Mapping[str, Any] | None = None, key: str = "") -> Submitted:
        """Check ``model`` (NAME or NAME@VERSION) now; without one every version in production. The same ``key`` checks once."""
        models: list[str] = []
        if model:
            with self._context.store.read() as unit:
                chosen = named(unit, model)
            if not chosen.run_id:
                raise BadRequest(f"{chosen.title} was trained on files, and the workspace has no newer bars of those; train it on stored data (--data)")
            models = [chosen.id]
        title = f"Watch {chosen.title}" if model else "Watch models in production"
        return self._context.submit(KIND, title, dict(models=models, config=values_of(build(DriftConfig, config or {}))), queue="research", key=key)

    def checks(self, model: str = "", limit: int = 100) -> list[DriftCheck]:
        """Newest first; with ``model`` (NAME@VERSION) those of that version."""
        with self._context.store.read() as unit:
            runs = unit.runs.latest(KIND, limit)
        return [check for run in runs for check in of_run(run) if not model or check.model == model]

    def latest(self, model: str) -> DriftCheck | None:
        """The newest check of a version (NAME@VERSION)."""
        return next(iter(self.checks(model)), None)

    def table(self, run_id: str, model: str = "") -> pd.DataFrame:
        """``model instrument column reference recent effective psi level ks p q state reason``, a row a column that was looked at."""
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "check of models", run_id)
        if run.kind != KIND:
            raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}, and a check of models is looked for; choose one from the list")
        columns = self._context.store.frames.get(run.frames["columns"])
        return columns[columns["model"] == model].reset_index(drop=True) if model else columns

    def retraining(self, model: str) -> TrainingRequest:
        """The question of a version on the newest bars, to be trained under the same name: a candidate."""
        with self._context.store.read() as unit:
            chosen = named(unit, model)
            if not chosen.run_id or unit.runs.get(chosen.run_id) is None:
                raise BadRequest(f"the run that trained {chosen.title} is not in the workspace, so its question cannot be requested again from here; train it on the Training page")
            stored = unit.datasets.all()
        request, data = self._training.request_of(chosen.run_id), chosen.manifest["question"]["data"]
        versions = {dataset.id: dataset.version for dataset in stored}
        now = [newest_of(stored, versions[dataset], part) for dataset, part in zip(request.datasets, data, strict=True)]
        start = max(request.start, min(dataset.first_ts for dataset in now))
        return replace(request, datasets=[dataset.id for dataset in now], start=start, end=max(dataset.last_ts for dataset in now) + timedelta(seconds=1), register=chosen.name)

    def retrain(self, model: str) -> Submitted:
        """Train it again on the newest bars; what comes of it is a candidate, and production stays as it is."""
        request = self.retraining(model)
        with self._context.store.read() as unit:
            chosen = named(unit, model)
        submitted = self._training.submit(request)
        if submitted.new:
            with self._context.store.unit() as unit:
                unit.audit(self._context.user, "retraining_requested", chosen.entity, f"job:{submitted.job.id}", model=chosen.title)
        return submitted


def of_run(run: Run) -> list[DriftCheck]:
    """What a check says of each model."""
    return [
        DriftCheck(run.id, run.created_at, row["model"], row["state"], row["sentence"], tuple(row["alarms"]), {name: value for name, value in row.items() if name not in ("model", "state", "sentence", "alarms")})
        for row in run.summary["models"]
    ]  # fmt: skip
