"""Policies beside a training of the workspace: fitted and replayed on the stored folds; no model is fitted again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.params import build
from domain.training.actions import ActionGrid
from domain.training.fold_result import FoldResult
from domain.training.known_regimes import regimes_of
from domain.training.policy_file import policy_facts
from domain.training.policy_run import judge_policies
from domain.training.signals import decided_of
from domain.training.train import strategy_of
from worker.code import manifest_of
from worker.jobs import training_request
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.explain import pipeline_of, trained_run
from worker.jobs.training_request import LoadedQuestion
from worker.store import Run, Unit

KIND = "policies"


@job("policies", limit=86_400, after="compile")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: run (id of a whole training on signals), grid (values of ``ActionGrid``) and policies: name -> parameters."""
    trained = trained_run(spec["run"], work)
    work.stage("Load bars")
    question = training_request.same(trained, work)
    work.stage("Samples")
    samples, grid = question.samples, build(ActionGrid, spec["grid"])
    work.stage("Policies")
    decided = decided_of(question.inputs, strategy_of(question.question))
    judged = judge_policies(
        samples, decided, regimes_of(question.inputs, samples), question.folds, _results(trained, question, work), question.inputs[0].rules, grid, spec["policies"], work.within(0.1, 0.95),
    )  # fmt: skip
    work.stage("Save")
    frames = dict(table=work.store.frames.put(judged.table), choices=work.store.frames.put(judged.choices))
    summary, manifest = policy_facts(judged, grid, question.question), manifest_of(dict(spec), work.job.kind) | dict(data=list(trained.spec["datasets"]))

    def commit(unit: Unit) -> JobResult:
        run_id = unit.runs.add(
            kind=KIND, job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=manifest, summary=summary, frames=frames, actor=work.job.actor, created_at=unit.now(), example=work.job.example,
            synthetic=trained.synthetic,
        )  # fmt: skip
        detail = dict(title=work.job.title, run=KIND, of=trained.id, frames=frames, policies=list(judged.fitted))
        return JobResult(dict(run=run_id), "run_finished", (f"run:{run_id}", f"run:{trained.id}"), detail)

    return commit


def _results(trained: Run, question: LoadedQuestion, work: Work) -> list[FoldResult]:
    """What the folds left, from the run's tables and files."""
    tested = work.store.frames.get(trained.frames["predictions"])
    parts = ((fold.number, tested[tested["fold"] == fold.number].reset_index(drop=True)) for fold in question.folds)
    return [FoldResult(number, part, pipeline_of(work.store, trained, number)) for number, part in parts]
