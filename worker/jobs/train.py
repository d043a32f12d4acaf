"""Train a model: folds are parts that all workers share; what a cancelled training finished stays as a partial run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from domain.audit import canonical, plain
from domain.models.one_order import openmp_threads
from domain.training import control as controls
from domain.training import train as training
from domain.training.gate import gate_columns
from domain.training.known_regimes import regimes_of
from domain.training.pipeline import fit_fold
from domain.training.protocols import Tried
from domain.training.samples import SampleSet
from worker.code import code_of, manifest_of
from worker.jobs import training_request
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.fold_parts import Trial, files_of, restored_fold, stored_fold, trial_of
from worker.jobs.live_curve import LiveCurve
from worker.jobs.parts import Evaluate, Owner, PartResult, Watch, shared
from worker.jobs.training_request import LoadedQuestion
from worker.parity import held_out, parity_of
from worker.store import Unit
from worker.store.chunks import Chunk
from worker.store.fold_rows import rows_of
from worker.store.registering import register
from worker.store.selection import selection_of

LIMIT = 7 * 86_400.0
MODEL_TABLES = ("samples", "folds", "predictions", "held_out")
CONTROL = 100_000       # number of the first part that is a control


@shared("train", trial="train", once=True)
def ready(spec: Mapping[str, Any], work: Work) -> Evaluate:
    return evaluator(training_request.read(spec, work), work)


def evaluator(loaded: LoadedQuestion, work: Work) -> Evaluate:
    """Fits the fold that a part names, with its own labels or, for the control, with permuted ones."""
    question, trial = loaded.question, trial_of(loaded.question, params_hash(loaded.spec))

    def evaluate(chunk: Chunk, watch: Watch) -> PartResult:
        number, is_control = chunk.spec["fold"], chunk.spec["control"]
        curve = LiveCurve(number)

        def on_progress(share: float, loss: float | None = None) -> None:
            watch(share)
            if loss is not None and not is_control:
                work.show(curve.add(share, loss))

        sampled = controls.permuted(loaded.samples, question.seed + 1) if is_control else loaded.samples
        result = fit_fold(sampled, loaded.folds[number], question, on_progress, baselines=not is_control)
        return stored_fold(work.store, result, sampled.samples.task, sampled.samples.classes, None if is_control else trial)

    return evaluate


def keep_partial(spec: Mapping[str, Any], work: Work) -> Commit | None:
    """A run of the folds that were finished; None where there is none."""
    with work.store.read() as unit:
        parts = [part for part in unit.chunks.all(work.job.id) if part.done_at is not None]
    rows = rows_of(parts)
    if rows.empty:
        return None
    tested = [work.store.frames.get((part.frames or {})["predictions"]) for part in parts if not part.result["control"]]
    predictions = pd.concat(tested, ignore_index=True).sort_values(["fold", "path", "sample"], kind="stable", ignore_index=True)
    frames = {"predictions": work.store.frames.put(predictions), "scores": work.store.frames.put(rows)}
    expected = int(max((part.spec["of"] for part in parts), default=0))
    summary = dict(partial=True, folds=len(rows), expected=expected, question=None, report={}, files=files_of(parts))

    def commit(unit: Unit) -> JobResult:
        run_id = _replace(unit, work, spec, summary, frames, manifest(work, dict(spec)), _synthetic(unit, spec))
        detail = dict(title=work.job.title, run="train", folds=len(rows), of=expected, frames=frames)
        return JobResult(dict(run=run_id, partial=True), "training_stopped", (f"run:{run_id}",), detail)

    return commit


@job("train", limit=LIMIT, after="compile", partial=keep_partial)
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: as ``training_request.read`` takes it, and ``register``: the name of the model, or nothing."""
    work.stage("Load bars")
    loaded = training_request.read(spec, work)
    question, code = loaded.question, code_of("train")
    training.learner_for(question.learner, question.learner_params, question.target)
    work.stage("Check for look-ahead")
    training.refuse_leak(gate_columns(loaded.inputs, training.strategy_of(question), work.within(0.01, 0.06)))
    work.stage("Samples")
    sampled, folds = loaded.samples, loaded.folds
    _forget_other_code(work, code)
    work.stage("Folds")
    checked = controls.control_folds(folds)
    rows = [(fold.number, 1, dict(fold=fold.number, control=False, code=code, of=len(folds))) for fold in folds]
    rows += [(CONTROL + fold.number, 1, dict(fold=fold.number, control=True, code=code, of=len(folds))) for fold in checked]
    owner = Owner(work, evaluator(loaded, work), 0.08, 0.85, len(rows), "fits")
    first = restored_fold(work.store, owner.share(rows[:1])[0])
    training.refuse_leak(training.gate_fitted(question, loaded.inputs, first, lambda share, loss=None: work.progress(0.1)))
    parts = owner.share(rows)
    work.stage("Judge")
    results = {part.number: restored_fold(work.store, part) for part in parts}
    control = controls.control([result for number, result in results.items() if number >= CONTROL], sampled.samples.task, sampled.samples.classes)
    with work.store.read() as unit:
        chosen = selection_of(unit, spec["datasets"], question.family)
    tell = work.within(0.86, 0.97)
    trained = training.finish(
        question, sampled, folds, [result for number, result in results.items() if number < CONTROL], control, Tried(chosen.trials, chosen.variance, True),
        lambda share, loss=None: tell(share), {name: value for name, value in manifest(work, {}).items() if name in ("code", "libraries")},
        regimes_of(loaded.inputs, sampled),
    )  # fmt: skip
    work.stage("Save")
    seen = held_out(sampled.samples.matrix, sampled.samples.columns, first.pipeline.bars)
    report = dict(trained.report) | dict(parity=parity_of(trained.model, seen, sampled.samples.y))
    reproducible = all(result.pipeline.reproducible for result in results.values())
    return _saved(loaded, trained, report, dict(held_out=seen, scores=rows_of(parts)), parts, reproducible, work)


def _saved(loaded: LoadedQuestion, trained: training.Trained, report: Mapping[str, Any], beside: Mapping[str, pd.DataFrame], parts: Sequence[Chunk], reproducible: bool, work: Work) -> Commit:
    """The commit of a whole run: its tables and files, its line in the ledger with the Sharpe ratio, and the candidate that it was to become."""
    store, spec, question = work.store, loaded.spec, loaded.question
    tables = dict(samples=trained.samples, folds=trained.folds, predictions=trained.predictions, **beside)
    frames = {name: store.frames.put(frame) for name, frame in tables.items()}
    model = store.blobs.put_all(trained.model)
    decided = manifest(work, question.values()) | dict(spec_hash=question.hash, data=list(spec["datasets"]), seed=question.seed, threads=openmp_threads(), reproducible=reproducible, gate=dict(columns=list(found_columns(loaded)), pipeline=True))
    summary = dict(partial=False, folds=len(loaded.folds), expected=len(loaded.folds), question=question.values(), report=report, samples=about(loaded.samples), model=model, tables=list(MODEL_TABLES), files=files_of(parts) | {f"model/{name}": content for name, content in model.items()})
    trial = trial_of(question, params_hash(spec), report["trials"].get("significance"))

    def commit(unit: Unit) -> JobResult:
        if trial.sharpe is not None:
            _count(unit, work, spec, trial)
        run_id = _replace(unit, work, spec, summary, frames, decided, loaded.synthetic)
        unit.chunks.remove(work.job.id)
        result: dict[str, Any] = dict(run=run_id)
        if spec.get("register"):
            registered = register(
                unit, spec["register"], run_id=run_id, question=question.values(), question_hash=question.hash, files=model, frames={name: frames[name] for name in MODEL_TABLES},
                manifest=decided | dict(counted=True), report=report, synthetic=loaded.synthetic, actor=work.job.actor,
            )  # fmt: skip
            result |= dict(model=registered.title)
        detail = dict(
            title=work.job.title, run="train", learner=question.learner, target=question.target, strategy=question.strategy, spec=question.hash, code=decided["code"], frames=frames, files=model,
            verdict=report["verdict"]["state"],
        )  # fmt: skip
        return JobResult(result, "model_trained", (f"run:{run_id}", *(f"dataset:{dataset.id}" for dataset in loaded.datasets)), detail)

    return commit


def about(sampled: SampleSet) -> dict[str, Any]:
    """What the samples are: their number and mean uniqueness, those without a label by reason, those in the warm-up, and columns without any value."""
    uniqueness = float(sampled.uniqueness.mean()) if len(sampled) else None
    return dict(count=len(sampled), uniqueness=uniqueness, unlabelled=dict(sampled.unlabelled), warm_up=sampled.warm_up, dropped=list(sampled.dropped))


def _replace(unit: Unit, work: Work, spec: Mapping[str, Any], summary: Mapping[str, Any], frames: Mapping[str, str], decided: Mapping[str, Any], synthetic: bool) -> str:
    """The run of this job, in place of the partial one that an earlier attempt left."""
    unit.runs.remove(unit.runs.of_job(work.job.id))
    return unit.runs.add(
        kind="train", job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=dict(decided), summary=dict(summary), frames=dict(frames), actor=work.job.actor,
        created_at=unit.now(), example=work.job.example, synthetic=synthetic,
    )  # fmt: skip


def _count(unit: Unit, work: Work, spec: Mapping[str, Any], trial: Trial) -> None:
    unit.trials.add([trial._asdict()], kind="train", datasets=spec["datasets"], job_id=work.job.id, actor=work.job.actor, at=unit.now())


def _forget_other_code(work: Work, code: str) -> None:
    """Folds that an earlier version of the program fitted are fitted again: one run has one code."""
    with work.store.unit() as unit:
        if any(part.spec["code"] != code for part in unit.chunks.all(work.job.id)):
            unit.chunks.remove(work.job.id)


def manifest(work: Work, question: Mapping[str, Any]) -> dict[str, Any]:
    return manifest_of(dict(question), work.job.kind) | dict(data=list(work.job.spec["datasets"]))


def found_columns(question: LoadedQuestion) -> list[str]:
    """The columns that the gate made again."""
    return [use.column for use in question.inputs[0].uses]


def params_hash(spec: Mapping[str, Any]) -> str:
    """Of the learner's and the strategy's parameters."""
    return hashlib.sha256(canonical(plain({name: spec[name] for name in ("learner", "learner_params", "strategy_params")}))).hexdigest()


def _synthetic(unit: Unit, spec: Mapping[str, Any]) -> bool:
    return any(dataset.synthetic for version in spec["datasets"] if (dataset := unit.datasets.get(version)))
