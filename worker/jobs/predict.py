"""What a model says at the newest samples of stored bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.training.model_folder import read_model
from domain.training.predicting import predictions
from domain.training.question import question_from
from worker.code import manifest_of
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.watch import inputs_on, spec_of
from worker.store import Unit
from worker.store.model_files import files_of

KIND = "predict"


@job("predict", limit=3_600, after="compile")
def predict(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: model (id), datasets (versions), rows (the newest samples of each instrument) and engine (native, onnx)."""
    work.stage("Load the model")
    with work.store.read() as unit:
        model, stored = unit.models.get(spec["model"]), [unit.datasets.get(version) for version in spec["datasets"]]
    now = [dataset for dataset in stored if dataset is not None]
    if model is None or len(now) < len(stored):
        raise BadRequest("the model or its bars were deleted meanwhile; choose others")
    pipeline, manifest = read_model(files_of(work.store, model, work.job.actor))
    question = question_from(manifest["question"])
    work.stage("Compute features")
    inputs = inputs_on(spec_of(model, question, work), now, work)
    work.stage("Predict")
    table = predictions(question, pipeline, inputs, spec["engine"])
    by = table["instrument"] if "instrument" in table else pd.Series(now[0].instrument, table.index)
    newest = table.assign(instrument=by.to_numpy()).groupby("instrument", sort=True).tail(int(spec["rows"])).reset_index(drop=True)
    frames = dict(predictions=work.store.frames.put(newest))

    def commit(unit: Unit) -> JobResult:
        latest = [{name: _plain(value) for name, value in row.items()} for row in newest.groupby("instrument", sort=True).tail(1).to_dict("records")]
        summary = dict(model=model.title, outputs=list(pipeline.outputs), rows=len(newest), latest=latest)
        run = unit.runs.add(
            kind=KIND, job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=manifest_of(dict(spec), KIND), summary=summary, frames=frames, actor=work.job.actor, created_at=unit.now(),
            synthetic=model.synthetic or any(dataset.synthetic for dataset in now),
        )  # fmt: skip
        return JobResult(dict(run=run), "model_predicted", (f"run:{run}", model.entity), dict(title=work.job.title, run=KIND, model=model.title, rows=len(newest), frames=frames))

    return commit


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return None if value != value else value
