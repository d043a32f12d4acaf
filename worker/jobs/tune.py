"""Tune a learner: trials suggested batch by batch, those of a batch shared among all workers; each is one trial of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from domain.params import build
from domain.training import train as training
from domain.training.gate import gate_columns
from domain.training.search_space import Tuning, space_of
from worker.jobs import training_request
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.fold_parts import trial_of
from worker.jobs.parts import Evaluate, Owner, PartResult, Watch, shared
from worker.jobs.train import LIMIT, manifest, params_hash
from worker.jobs.training_request import LoadedQuestion
from worker.store import Unit
from worker.store.chunks import Chunk

TITLE = "heat {x} × {y}"       # of a frame with a heat map


@shared("tune", trial="tune", stays=True)
def ready(spec: Mapping[str, Any], work: Work) -> Evaluate:
    return _evaluator(training_request.read(spec, work))


def _evaluator(question: LoadedQuestion) -> Evaluate:
    from domain.training import tune

    def evaluate(chunk: Chunk, watch: Watch) -> PartResult:
        number, point = chunk.spec["number"], chunk.spec["point"]
        result = tune.trial(question.question, question.samples, question.folds, number, point, chunk.spec["beat"], lambda share, loss=None: watch(share))
        return PartResult({}, [] if result.refused else [_counted(question, point)], result._asdict())

    return evaluate


def _counted(loaded: LoadedQuestion, point: Mapping[str, Any]) -> Any:
    """The question at this point, as a training of it would be counted: both together are one trial."""
    from domain.training import tune

    question = tune.question_at(loaded.question, point)
    return trial_of(question, params_hash({**loaded.spec, "learner_params": question.learner_params}))


@job("tune", limit=LIMIT, after="compile")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: a training's, ``space``: parameter -> range, and ``tuning``. The state is the list of trials: resumed, it goes on as it would have."""
    work.stage("Load bars")
    loaded = training_request.read(spec, work)
    from domain.training import tune
    from domain.training.tuned import tuned

    question, how, space = loaded.question, build(Tuning, spec["tuning"]), space_of(spec["learner"], spec["space"])
    training.learner_for(question.learner, question.learner_params, question.target)
    work.stage("Check for look-ahead")
    training.refuse_leak(gate_columns(loaded.inputs, training.strategy_of(question), work.within(0.01, 0.06)))
    work.stage("Samples")
    tune.check_folds(loaded.folds)
    work.stage("Search")
    suggestions, owner = tune.suggestions_of(how, space), Owner(work, _evaluator(loaded), 0.08, 0.98, how.trials, "trials")
    points, results = list[Mapping[str, Any]](), list[Any]()
    while batch := suggestions.batch():
        beat = tune.to_beat(results, len(loaded.folds)) if how.prune else None
        rows = [(len(points) + k, 1, dict(number=len(points) + k, point=dict(point), beat=beat)) for k, point in enumerate(batch)]
        news = [_result(part) for part in owner.share(rows)]
        suggestions.learn(news)
        points, results = points + list(batch), results + news
    work.stage("Save")
    return _saved(loaded, tuned(points, results, space), how, work)


def _result(part: Chunk) -> Any:
    from domain.backtest.search import TrialResult

    row = part.result
    values = None if row["values"] is None else tuple(row["values"])
    return TrialResult(row["number"], values, tuple(row["rungs"]), row["given_up"], row["figures"], row["refused"])


def _saved(question: LoadedQuestion, search: Any, how: Tuning, work: Work) -> Commit:
    put, spec, table = work.store.frames.put, question.spec, search.table
    frames = dict(table=put(table)) | {TITLE.format(x=x, y=y): put(cells) for (x, y), cells in search.maps().items()}
    chosen = table[table["chosen"]].iloc[0]
    summary = dict(
        learner=question.question.learner, target=question.question.target, strategy=question.question.strategy, trials=len(table), given_up=int(table["given_up"].sum()), infeasible=int(table["infeasible"].sum()),
        refused=dict(search.refused), folds=len(question.folds), params=dict(search.params), loss=float(chosen["loss"]), nearest=float(chosen["nearest"]), best=float(table["loss"].min()),
        space=[asdict(dimension) for dimension in search.space], notes=notes_of(search.space), maps=[[x, y] for x, y in search.maps()], samples=len(question.samples),
    )  # fmt: skip
    decided = manifest(work, question.question.values()) | dict(spec_hash=question.question.hash, space=dict(spec["space"]), tuning=dict(spec["tuning"]), seed=how.seed)

    def commit(unit: Unit) -> JobResult:
        run_id = unit.runs.add(
            kind="tune", job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=decided, summary=summary, frames=frames, actor=work.job.actor, created_at=unit.now(),
            example=work.job.example, synthetic=question.synthetic,
        )  # fmt: skip
        unit.chunks.remove(work.job.id)
        detail = dict(title=work.job.title, run="tune", learner=question.question.learner, target=question.question.target, spec=question.question.hash, code=decided["code"], frames=frames, trials=len(table), params=dict(search.params))
        return JobResult(dict(run=run_id), "run_finished", (f"run:{run_id}", *(f"dataset:{dataset.id}" for dataset in question.datasets)), detail)

    return commit


def notes_of(space: Sequence[Any]) -> list[str]:
    """Sentences on ranges that are not searched as they were written."""
    return [dimension.note for dimension in space if dimension.note]
