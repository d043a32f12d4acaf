"""From a question to predictions that were never trained on, a report, and the model of the fold that would come next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.models.base import Watch
from domain.models.one_order import openmp_threads
from domain.params import build
from domain.training import control as controls
from domain.training.fold_result import FoldResult
from domain.training.gate import gate_columns, gate_pipeline, sentence_of
from domain.training.inputs import Inputs
from domain.training.judgement import report_of
from domain.training.known_regimes import regimes_of
from domain.training.model_folder import model_files
from domain.training.pipeline import fit_fold, fit_pipeline, learner_for, quiet
from domain.training.protocols import Tried
from domain.training.question import Question, strategy_of
from domain.training.samples import SampleSet, sample_set
from domain.training.splits import SCHEMES, Fold, Scheme, folds, next_fold
from domain.training.tables import tables_of
from domain.training.targets import TargetParams

SAMPLES_SHARE, GATE_SHARE, FOLDS_SHARE = 0.05, 0.15, 0.85     # of a training, up to the end of each step

Fit = Callable[[SampleSet, Fold, Question, Watch], FoldResult]


class LeakFound(BadRequest):
    """A column, a signal or the pipeline has look-ahead bias; nothing was trained."""


@dataclass(frozen=True)
class Trained:
    """``samples``, ``folds``, ``predictions``: as ``tables`` makes them. ``report``: of report.json. ``model``: file -> bytes, as ``model_folder`` makes them."""

    samples: pd.DataFrame
    folds: pd.DataFrame
    predictions: pd.DataFrame
    report: Mapping[str, Any]
    model: Mapping[str, bytes]

    @property
    def red(self) -> bool:
        return bool(self.report["verdict"]["state"] == "red")


def train(question: Question, inputs: Sequence[Inputs], watch: Watch = quiet, trials: Tried = Tried(), made_by: Mapping[str, Any] = {}) -> Trained:
    """All of it in this process: gate, samples, every fold, control, model and report. ``made_by``: ``code`` and ``libraries`` of the manifest.

    Raises LeakFound with the column, bar and size where the gate finds one, and BadRequest where the question cannot be answered.
    """
    learner_for(question.learner, question.learner_params, question.target)
    strategy = strategy_of(question)
    refuse_leak(gate_columns(inputs, strategy, part_of(watch, 0.0, SAMPLES_SHARE)))
    sampled = samples_of(question, inputs)
    parts = folds_of(question, sampled)
    first = fit_fold(sampled, parts[0], question, part_of(watch, SAMPLES_SHARE, GATE_SHARE))
    refuse_leak(gate_fitted(question, inputs, first, watch))
    step = (FOLDS_SHARE - GATE_SHARE) / max(len(parts) - 1, 1)
    rest = [fit_fold(sampled, fold, question, part_of(watch, GATE_SHARE + k * step, GATE_SHARE + (k + 1) * step)) for k, fold in enumerate(parts[1:])]
    return finish(question, sampled, parts, [first, *rest], None, trials, part_of(watch, FOLDS_SHARE, 1.0), made_by, regimes_of(inputs, sampled))


def finish(
    question: Question, sampled: SampleSet, parts: Sequence[Fold], results: Sequence[FoldResult], control: Mapping[str, Any] | None = None, trials: Tried = Tried(), watch: Watch = quiet, made_by: Mapping[str, Any] = {},
    regimes: Sequence[Any] | None = None,
) -> Trained:  # fmt: skip
    """Control (unless it is there already), model and report, from the folds that were fitted here or elsewhere. ``regimes``: as ``known_regimes`` gives them."""
    results = sorted(results, key=lambda result: result.fold)
    fitted = {result.fold for result in results}
    answered = [fold for fold in parts if fold.number in fitted]
    control = control_of(question, sampled, answered, part_of(watch, 0.0, 0.7)) if control is None else control
    report = report_of(question, sampled, parts, results, control, trials, regimes=regimes)
    model = model_of(question, sampled, report, part_of(watch, 0.7, 1.0), made_by)
    return Trained(*tables_of(sampled, parts, results), report, model)


def scheme_of(question: Question) -> Scheme:
    return build(SCHEMES[question.scheme], question.scheme_params)


def samples_of(question: Question, inputs: Sequence[Inputs], watch: Callable[[float], None] = lambda share: None) -> SampleSet:
    """The labelled samples; with ``shuffle_labels`` their labels permuted over all of them."""
    sampled = sample_set(inputs, strategy_of(question), question.target, build(TargetParams, question.target_params), watch=watch)
    return controls.permuted(sampled, question.seed) if question.shuffle_labels else sampled


def folds_of(question: Question, sampled: SampleSet) -> tuple[Fold, ...]:
    return folds(sampled.samples.start, sampled.samples.end, scheme_of(question))


def gate_fitted(question: Question, inputs: Sequence[Inputs], result: FoldResult, watch: Watch = quiet) -> Any:
    """The gate of a fold's pipeline, around the first sample that it was tested on."""
    at = int(result.predictions["start"].min()) if len(result.predictions) else result.pipeline.until
    return gate_pipeline(question, inputs, result.pipeline, at, lambda share: watch(GATE_SHARE, None))


def refuse_leak(verdict: Any) -> None:
    if verdict.leaks:
        raise LeakFound(sentence_of(verdict))


def control_of(question: Question, sampled: SampleSet, parts: Sequence[Fold], watch: Watch = quiet, fit: Fit | None = None) -> dict[str, Any]:
    """Up to three folds again with labels permuted over the samples."""
    chosen, samples = controls.control_folds(parts), controls.permuted(sampled, question.seed + 1)
    results = [fit_fold(samples, fold, question, part_of(watch, k / len(chosen), (k + 1) / len(chosen)), baselines=False) for k, fold in enumerate(chosen)]
    return controls.control(results, sampled.samples.task, sampled.samples.classes)


def model_of(question: Question, sampled: SampleSet, report: Mapping[str, Any], watch: Watch = quiet, made_by: Mapping[str, Any] = {}) -> dict[str, bytes]:
    """The files of the model of the fold that would come next."""
    fold = next_fold(sampled.samples.start, sampled.samples.end, scheme_of(question))
    pipeline = fit_pipeline(sampled, fold, question, watch)
    facts = dict(
        question=question.values(), question_sha256=question.hash, learner=question.learner, target=question.target, instruments=list(sampled.instruments), columns=list(sampled.samples.columns), outputs=list(pipeline.outputs),
        until=pipeline.until, sizes={part: len(rows) for part, rows in fold.parts.items()}, samples=sampled.facts, seed=question.seed, threads=openmp_threads(), verdict=dict(report["verdict"]), **made_by,
    )  # fmt: skip
    return model_files(pipeline, facts)


def part_of(watch: Watch, low: float, high: float) -> Watch:
    """``watch`` of a step that takes the work from ``low`` to ``high``."""
    def step(share: float, loss: float | None = None) -> None:
        watch(low + (high - low) * share, loss)

    return step
