"""Explain a training: what its folds' models lean on, on the test parts that they have not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import BadRequest
from domain.training.explanation import explain
from domain.training.fitted_pipeline import FittedPipeline, load_pipeline
from worker.code import manifest_of
from worker.jobs import training_request
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Run, Store, Unit


@job("explain", limit=7_200, after="compile")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: run (id of a whole training). Its stored models are explained, nothing is fitted again."""
    trained = trained_run(spec["run"], work)
    work.stage("Load bars")
    question = training_request.same(trained, work)
    work.stage("Samples")
    samples = question.samples
    tests = [samples.samples.take(fold.parts["test"]) for fold in question.folds]
    work.stage("Explain")
    pipelines = [pipeline_of(work.store, trained, fold.number) for fold in question.folds]
    explained = explain(pipelines, tests, samples.instruments, question.question.seed, work.within(0.1, 0.95))
    work.stage("Save")
    frames = {name: work.store.frames.put(table) for name, table in explained.tables.items()}
    manifest = manifest_of(dict(spec), work.job.kind) | dict(data=list(trained.spec["datasets"]))

    def commit(unit: Unit) -> JobResult:
        run_id = unit.runs.add(
            kind="explain", job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=manifest, summary=dict(explained.summary), frames=frames, actor=work.job.actor,
            created_at=unit.now(), example=work.job.example, synthetic=trained.synthetic,
        )  # fmt: skip
        return JobResult(dict(run=run_id), "run_finished", (f"run:{run_id}", f"run:{trained.id}"), dict(title=work.job.title, run="explain", of=trained.id, frames=frames))

    return commit


def trained_run(run_id: str, work: Work) -> Run:
    """A whole training."""
    with work.store.read() as unit:
        trained = unit.runs.get(run_id)
    if trained is None or trained.kind != "train" or trained.summary.get("partial"):
        raise BadRequest(f"{run_id} is no whole run of training; choose one that has ended")
    return trained


def pipeline_of(store: Store, trained: Run, fold: int) -> FittedPipeline:
    """The pipeline that a fold left, from its stored files."""
    prefix = f"fold {fold}/"
    files = {name.removeprefix(prefix): content for name, content in trained.summary["files"].items() if name.startswith(prefix)}
    return load_pipeline({name: store.blobs.get(content, f"The file {name} of fold {fold}") for name, content in files.items()})
