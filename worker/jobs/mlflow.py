"""Mirror a version of a model to an MLflow server: parameters, scores, files and where it stands. The registry here stays the one of record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker import mlflow_mirror
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Unit
from worker.store.model_files import files_of


@job("mlflow", limit=600)
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: model (id). A server that does not answer fails nothing: the job says so and ends well, and the next decision on the model tells it everything."""
    work.stage("Read")
    with work.store.read() as unit:
        model = unit.models.get(spec["model"])
        stage = unit.models.stages(spec["model"])[-1] if model else None
    why = "the model is no longer here"
    run_id = ""
    if model and stage:
        files = files_of(work.store, model, work.job.actor)
        work.stage("Send")
        run_id, why = mlflow_mirror.mirrored(model, stage, files, lambda: work.progress(0.5))

    def commit(unit: Unit) -> JobResult:
        entities = (model.entity,) if model else ()
        return JobResult(dict(mlflow_run=run_id, why=why), "model_not_mirrored" if why else "model_mirrored", entities, dict(model=model.title if model else spec["model"], mlflow_run=run_id, why=why))

    return commit
