"""Tuning: parameters of a learner chosen by their loss on the validation parts of the folds; no test part is looked at.

Suggestions come from optuna. Its state is the list of trials, replayed in order, so a tuning that was interrupted goes on as it would have. A trial is given up
after a fold where its mean loss so far is worse than the median of the trials that were run to the end. The one that is taken is not the best of them, which may
have been lucky, but the one whose neighbourhood is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from domain.backtest.search import Suggestions, TrialResult
from domain.errors import BadRequest
from domain.models import LEARNERS
from domain.models.base import Samples
from domain.optimise import Dimension
from domain.params import params_of
from domain.training import losses
from domain.training.conformal import in_order, levels_of
from domain.training.fitted_pipeline import FittedPipeline
from domain.training.pipeline import Watch, fit_learner, learner_for, quiet
from domain.training.question import Question
from domain.training.samples import SampleSet
from domain.training.search_space import Tuning, space_of
from domain.training.splits import Fold
from domain.training.tuned import Tuned, tuned

FIRST = 5               # trials that are all run to the end, before any is given up
LEAST = 30              # samples of a validation part


def question_at(question: Question, point: Mapping[str, Any]) -> Question:
    """The question with the parameters of a point. Raises BadRequest where the learner refuses them."""
    own = {p.name for p in params_of(LEARNERS[question.learner])}
    learner = {**question.learner_params, **{name: value for name, value in point.items() if name in own}}
    learner_for(question.learner, learner, question.target)
    fitting = {name: value for name, value in point.items() if name not in own}
    return replace(question, learner_params=learner, fitting=replace(question.fitting, **fitting) if fitting else question.fitting)


def suggestions_of(tuning: Tuning, space: Sequence[Dimension]) -> Suggestions:
    return Suggestions(tuning.search, space)


def tune(question: Question, sampled: SampleSet, folds: Sequence[Fold], space: Mapping[str, Any], tuning: Tuning = Tuning(), watch: Watch = quiet) -> Tuned:
    """All trials in this process."""
    dimensions = space_of(question.learner, space)
    check_folds(folds)
    suggestions, points, results = suggestions_of(tuning, dimensions), list[Mapping[str, Any]](), list[TrialResult]()
    while batch := suggestions.batch():
        beat = to_beat(results, len(folds)) if tuning.prune else None
        news = list[TrialResult]()
        for point in batch:
            done = len(results) + len(news)

            def part(share: float, loss: float | None = None, done: int = done) -> None:
                watch((done + share) / tuning.trials, None)

            news.append(trial(question, sampled, folds, done, point, beat, part))
        suggestions.learn(news)
        points, results = points + list(batch), results + news
    return tuned(points, results, dimensions)


def trial(question: Question, sampled: SampleSet, folds: Sequence[Fold], number: int, point: Mapping[str, Any], beat: Sequence[float] | None, watch: Watch = quiet) -> TrialResult:
    """One combination on fold after fold. ``values`` and ``rungs`` are losses with their sign changed: higher is better. ``beat``: of ``to_beat``."""
    try:
        trial = question_at(question, point)
    except BadRequest as error:
        return TrialResult(number, None, (), False, {}, str(error))
    so_far, rungs = list[float](), list[float]()
    for k, fold in enumerate(folds):
        so_far.append(validation_loss(sampled, fold, trial, _part(watch, k, len(folds))))
        if k + 1 < len(folds):
            rungs.append(-float(np.mean(so_far)))
            if beat is not None and rungs[-1] < beat[k]:
                return TrialResult(number, None, tuple(rungs), True, dict(loss=None, folds=k + 1.0))
    loss = float(np.mean(so_far))
    return TrialResult(number, (-loss,), tuple(rungs), False, dict(loss=loss, folds=float(len(folds))))


def _part(watch: Watch, k: int, count: int) -> Watch:
    def step(share: float, loss: float | None = None) -> None:
        watch((k + share) / count, loss)

    return step


def validation_loss(sampled: SampleSet, fold: Fold, question: Question, watch: Watch = quiet) -> float:
    """Mean loss of the learner, fitted on the fold's training part, on its validation part: log loss, mean pinball loss, or squared error."""
    samples = sampled.samples
    fitted = fit_learner(question.learner, question.learner_params, sampled, fold, question, watch)
    pipeline = FittedPipeline(fitted, question.learner, question.target, samples.task, samples.classes, samples.columns, 0)
    held_out = samples.take(fold.parts["validation"])
    return mean_loss(held_out, fitted.outputs, pipeline.raw(held_out))


def mean_loss(samples: Samples, outputs: tuple[str, ...], values: np.ndarray) -> float:
    if samples.task == "number":
        levels = levels_of(outputs)
        each = losses.pinball(samples.y, in_order(values)[0], levels) if levels else (samples.y - values[:, 0]) ** 2
    else:
        each = losses.log_loss(samples.y, values[:, 0] if samples.task == "binary" else values)
    return float(each.mean())


def check_folds(folds: Sequence[Fold]) -> None:
    for fold in folds:
        if len(fold.parts["validation"]) < LEAST:
            raise BadRequest(f"fold {fold.number} validates on {len(fold.parts['validation']):,} samples; tuning needs at least {LEAST}. Give a longer validation window, or more bars")


def to_beat(results: Sequence[TrialResult], folds: int) -> list[float] | None:
    """The mean so far that a trial must reach after each fold but the last: the median of the trials that ran to the end; None while they are too few.

    >>> to_beat([TrialResult(k, (1.0,), (float(k),), False, {}) for k in range(5)], 2)
    [2.0]
    """
    complete = [result.rungs for result in results if result.values is not None]
    return [float(value) for value in np.median(np.array(complete), axis=0)] if len(complete) >= FIRST and folds > 1 else None
