"""Tuning: parameters of a learner chosen by their loss on the validation parts of the folds; no test part is looked at.

Suggestions come from optuna. Its state is the list of trials, told again in order, so a tuning that was interrupted goes on as it would have. A trial is given up
after a fold where its mean loss so far is worse than the median of the trials that were run to the end. The one that is taken is not the best of them, which may
have been lucky, but the one whose neighbourhood is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.search import Suggestions, TrialResult
from domain.errors import BadRequest
from domain.models import LEARNERS
from domain.models.base import Samples
from domain.optimise import Dimension, Search, dimensions_of, heat
from domain.params import Param, param, params_of
from domain.training import losses
from domain.training.conformal import in_order, levels_of
from domain.training.fitted_pipeline import FittedPipeline
from domain.training.pipeline import Watch, fit_learner, learner_for, quiet
from domain.training.question import Fitting, Question
from domain.training.samples import SampleSet
from domain.training.splits import Fold

NEAREST = 5             # trials, itself among them, whose mean loss stands for a trial
FIRST = 5               # trials that are all run to the end, before any is given up
LEAST = 30              # samples of a validation part
LEVELS = 8              # of an axis of a heat map
AROUND = ("weights", "half_life")       # of what is fitted around a learner, that its validation loss depends on
SAMPLERS = ("tpe", "random")


@dataclass(frozen=True)
class Tuning:
    """How parameters are searched. The same seed on the same data makes the same trials, however many workers share them."""

    trials: int = param(40, low=1, high=2_000, unit="trials", help="combinations to try; each counts as one trial")
    batch: int = param(4, low=1, high=64, unit="trials", help="trials suggested at once and fitted in parallel")
    sampler: str = param("tpe", choices=SAMPLERS, help="tree-structured Parzen estimator, or random")
    prune: bool = param(True, title="Early stopping", help="gives a trial up after a fold where it is worse than the median of those run to the end")
    seed: int = param(0, low=0, high=2**31 - 1, help="of the sampler")

    @property
    def search(self) -> Search:
        return Search(self.trials, self.batch, self.sampler, prune=self.prune, seed=self.seed)


@dataclass(frozen=True)
class Tuned:
    """``table``: a row a trial: ``number``, parameters, ``loss`` (mean over folds, NaN: given up or infeasible), ``nearest`` (mean loss of the 5 nearest trials),
    ``folds`` (fitted), ``given_up``, ``infeasible``, ``chosen``. ``params``: of the chosen trial. ``refused``: why combinations were infeasible, with their number."""

    table: pd.DataFrame
    params: Mapping[str, Any]
    space: tuple[Dimension, ...]
    refused: Mapping[str, int]

    def maps(self) -> dict[tuple[str, str], pd.DataFrame]:
        return maps_of(self.table, self.space)


def tunable(learner: str) -> dict[str, Param]:
    """What may be searched, by name: the learner's own parameters, weights and half-life."""
    around = {p.name: p for p in params_of(Fitting) if p.name in AROUND}
    return around | {p.name: p for p in params_of(LEARNERS[learner])}


def space_of(question: Question, space: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """Raises BadRequest for a parameter that the learner does not have, and for a range that leaves its bounds."""
    return tuple(dimensions_of(tunable(question.learner), space))


def question_at(question: Question, point: Mapping[str, Any]) -> Question:
    """The question with the parameters of a point. Raises BadRequest where the learner refuses them."""
    own = {p.name for p in params_of(LEARNERS[question.learner])}
    learner = {**question.learner_params, **{name: value for name, value in point.items() if name in own}}
    learner_for(question.learner, learner, question.target)
    around = {name: value for name, value in point.items() if name not in own}
    return replace(question, learner_params=learner, fitting=replace(question.fitting, **around) if around else question.fitting)


def suggestions_of(tuning: Tuning, space: Sequence[Dimension]) -> Suggestions:
    return Suggestions(tuning.search, space)


def tune(question: Question, found: SampleSet, folds: Sequence[Fold], space: Mapping[str, Any], tuning: Tuning = Tuning(), watch: Watch = quiet) -> Tuned:
    """All trials in this process."""
    dimensions = space_of(question, space)
    check_folds(folds)
    suggestions, points, results = suggestions_of(tuning, dimensions), list[Mapping[str, Any]](), list[TrialResult]()
    while batch := suggestions.batch():
        beat = to_beat(results, len(folds)) if tuning.prune else None
        news = list[TrialResult]()
        for point in batch:
            done = len(results) + len(news)

            def part(share: float, loss: float | None = None, done: int = done) -> None:
                watch((done + share) / tuning.trials, None)

            news.append(trial(question, found, folds, done, point, beat, part))
        suggestions.learn(news)
        points, results = points + list(batch), results + news
    return tuned(points, results, dimensions)


def trial(question: Question, found: SampleSet, folds: Sequence[Fold], number: int, point: Mapping[str, Any], beat: Sequence[float] | None, watch: Watch = quiet) -> TrialResult:
    """One combination on fold after fold. ``values`` and ``rungs`` are losses with their sign changed: higher is better. ``beat``: of ``to_beat``."""
    try:
        asked = question_at(question, point)
    except BadRequest as error:
        return TrialResult(number, None, (), False, {}, str(error))
    so_far, rungs = list[float](), list[float]()
    for k, fold in enumerate(folds):
        so_far.append(validation_loss(found, fold, asked, _part(watch, k, len(folds))))
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


def validation_loss(found: SampleSet, fold: Fold, question: Question, watch: Watch = quiet) -> float:
    """Mean loss of the learner, fitted on the fold's training part, on its validation part: log loss, mean pinball loss, or squared error."""
    samples = found.samples
    fitted = fit_learner(question.learner, question.learner_params, found, fold, question, watch)
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


def tuned(points: Sequence[Mapping[str, Any]], results: Sequence[TrialResult], space: Sequence[Dimension]) -> Tuned:
    """The table of all trials, and the one that is taken. Raises BadRequest where none ran to the end."""
    ordered = sorted(results, key=lambda result: result.number)
    refused: dict[str, int] = {}
    for result in ordered:
        if result.refused:
            refused[result.refused] = refused.get(result.refused, 0) + 1
    loss = np.array([np.nan if result.values is None else -result.values[0] for result in ordered])
    if np.isnan(loss).all():
        raise BadRequest(f"no combination could be tried: {next(iter(refused))}" if refused else "no trial ran to the end")
    nearest = smoothed(places(points, space), loss)
    best = int(np.nanargmin(nearest))
    rows = [dict(number=result.number, **points[result.number]) for result in ordered]
    figures = dict(
        loss=loss, nearest=nearest, folds=[int(result.figures.get("folds") or 0) for result in ordered], given_up=[result.given_up for result in ordered],
        infeasible=[bool(result.refused) for result in ordered], chosen=np.arange(len(ordered)) == best,
    )  # fmt: skip
    return Tuned(pd.DataFrame(rows).assign(**figures), dict(points[ordered[best].number]), tuple(space), refused)


def places(points: Sequence[Mapping[str, Any]], space: Sequence[Dimension]) -> np.ndarray:
    """trials × places: a number between 0 and 1 on each axis, by logarithm where it is searched so; a choice is a place of its own, half of √2 from any other.

    >>> places([{"a": 1}, {"a": 100}, {"a": 10}], [Dimension("a", 1, 100, log=True)]).ravel().tolist()
    [0.0, 1.0, 0.5]
    """
    axes: list[np.ndarray] = []
    for dimension in space:
        given = [point[dimension.name] for point in points]
        if dimension.choices:
            axes += [0.5 * np.array([value == choice for value in given], float) for choice in dimension.choices]
            continue
        scale = np.log if dimension.log else np.asarray
        low, high, at = (np.asarray(scale(np.asarray(value, float))) for value in (dimension.low, dimension.high, given))
        axes.append((at - low) / (high - low))
    return np.column_stack(axes)


def smoothed(at: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """For each trial with a loss the mean loss of the 5 such trials that are nearest to it, itself among them; of equally near ones the earlier.

    >>> smoothed(np.arange(6.0)[:, None], np.array([9.0, 1.0, 9.0, 2.0, 2.0, np.nan])).round(1).tolist()
    [4.6, 4.6, 4.6, 4.6, 4.6, nan]
    """
    known = np.flatnonzero(~np.isnan(loss))
    out = np.full(len(loss), np.nan)
    for row in known:
        far = ((at[known] - at[row]) ** 2).sum(axis=1)
        far[known == row] = -1.0
        out[row] = loss[known[np.argsort(far, kind="stable")[:NEAREST]]].mean()
    return out


def maps_of(table: pd.DataFrame, space: Sequence[Dimension]) -> dict[tuple[str, str], pd.DataFrame]:
    """A heat map of each pair of parameters, as ``optimise.heat`` makes them, of ``score``, the loss with its sign changed: higher is better. An axis with more than
    eight values is cut into eight of equal width (equal ratio where it is searched by logarithm), each shown at its middle."""
    shown = table[table["loss"].notna()].assign(score=-table["loss"])
    for dimension in space:
        shown[dimension.name] = _levels(shown[dimension.name], dimension)
    names = [dimension.name for dimension in space]
    return {(x, y): heat(shown, x, y, "score") for k, x in enumerate(names) for y in names[k + 1 :]}


def _levels(values: pd.Series, dimension: Dimension) -> pd.Series:
    if dimension.choices or values.nunique() <= LEVELS:
        return values
    low, high = float(dimension.low or 0.0), float(dimension.high or 0.0)
    edges = np.geomspace(low, high, LEVELS + 1) if dimension.log else np.linspace(low, high, LEVELS + 1)
    level = np.clip(np.searchsorted(edges, values.to_numpy(float), side="right") - 1, 0, LEVELS - 1)
    middle = np.sqrt(edges[:-1] * edges[1:]) if dimension.log else (edges[:-1] + edges[1:]) / 2
    return pd.Series(middle[level], values.index)
