"""One fold: the learner fitted on its training part, what belongs around it on the parts after that, and predictions of what none of them has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.models import LEARNERS
from domain.models.base import Fitted, Samples, Watch
from domain.params import build, params_of
from domain.training.calibration import Calibration, calibrate
from domain.training.conformal import Conformal, in_order, levels_of
from domain.training.filter import Filter, break_even, fit_filter
from domain.training.fitted_pipeline import FittedPipeline, as_weighted, chance_of, load_pipeline, normalised, score_of
from domain.training.fold_result import FoldResult
from domain.training.question import Question
from domain.training.samples import SampleSet
from domain.training.splits import Fold
from domain.training.weights import weights_of

__all__ = ["BASELINES", "FittedPipeline", "FoldResult", "baselines_of", "fit_fold", "fit_pipeline", "load_pipeline"]

LEAST = 50                      # samples that are trained on
BASELINES = ("prior", "climatology", "no_change", "linear")
OWN_SHARE = 0.9                 # of a fold's work, the rest being the baselines'


def quiet(share: float, loss: float | None = None) -> None:
    """Watches nothing."""


@dataclass
class Curve:
    """Passes on how far a fit is, and keeps its losses."""

    watch: Watch
    scale: float = 1.0
    points: list[tuple[float, float]] = field(default_factory=list)

    def __call__(self, share: float, loss: float | None = None) -> None:
        if loss is not None:
            self.points.append((float(share), float(loss)))
        self.watch(self.scale * share, loss)


def fit_fold(sample_set: SampleSet, fold: Fold, question: Question, watch: Watch = quiet, baselines: bool = True) -> FoldResult:
    """The fold's pipeline, and its predictions of the test part; folds know nothing of each other, so any worker may fit any of them.

    Raises BadRequest for a learner that cannot learn the target, for too few samples and for one class only.
    """
    curve = Curve(watch, OWN_SHARE if baselines else 1.0)
    pipeline = fit_pipeline(sample_set, fold, question, curve)
    rows = fold.parts["test"]
    test = sample_set.samples.take(rows)
    raw = pipeline.raw(test)
    values, crossed = pipeline.calibrated(raw, test)
    known = dict(fold=fold.number, path=fold.path, sample=rows, start=test.start, end=test.end, y=test.y)
    outputs = {**dict(zip(pipeline.outputs, values.T, strict=True)), **dict(zip((f"raw_{name}" for name in pipeline.outputs), raw.T, strict=True))}
    traded = {} if pipeline.filter is None else dict(r=sample_set.r[rows], **pipeline.decisions(raw, values))
    named = baselines_of(question) if baselines else {}
    beside = {name: _baseline(sample_set, fold, question, name, params, Curve(lambda *_: watch(OWN_SHARE))) for name, params in named.items()}
    kinds = dict(zip(pipeline.outputs, (each.kind for each in pipeline.calibration), strict=False))
    sizes: dict[str, int] = {part: len(chosen) for part, chosen in fold.parts.items()}
    watch(1.0, None)
    return FoldResult(fold.number, pd.DataFrame(known | outputs | traded), pipeline, beside, tuple(curve.points), crossed, sizes, kinds)


def fit_pipeline(sample_set: SampleSet, fold: Fold, question: Question, watch: Watch = quiet) -> FittedPipeline:
    """Everything that is fitted in a fold; its test part is not looked at."""
    samples, parts = sample_set.samples, fold.parts
    fitted = fit_learner(question.learner, question.learner_params, sample_set, fold, question, watch)
    bare = FittedPipeline(fitted, question.learner, question.target, samples.task, samples.classes, samples.columns, _until(samples, parts))
    held_out = samples.take(parts["calibration"])
    raw = bare.raw(held_out)
    if levels_of(fitted.outputs):
        conformal = Conformal(levels_of(fitted.outputs), question.fitting.conformal, question.fitting.gamma)
        bare = replace(bare, conformal=conformal.start(in_order(raw)[0], held_out.y, held_out.end).values())
    else:
        bare = replace(bare, calibration=_calibrations(fitted.outputs, raw, held_out))
    return replace(bare, filter=_filter(sample_set, fold, question, bare, raw)) if sample_set.signals is not None else bare


def fit_learner(name: str, params: Mapping[str, Any], sample_set: SampleSet, fold: Fold, question: Question, watch: Watch) -> Fitted:
    """A learner on the fold's training part, weighted; the validation part stops it early."""
    samples, parts, fitting = sample_set.samples, fold.parts, question.fitting
    _check(samples, parts["train"], fold)
    weights = {part: weights_of(parts[part], sample_set.uniqueness, samples.start, fitting.half_life if part == "train" else 0.0, fitting.weights) for part in ("train", "validation")}
    train, validation = (as_weighted(samples, parts[part], weights[part]) for part in ("train", "validation"))
    learner = learner_for(name, params, question.target)
    fitted: Fitted = learner.fit(train, validation, question.seed, watch)
    return fitted


def learner_for(name: str, params: Mapping[str, Any], target: str) -> Any:
    """The learner of that name, checked to be able to learn the target."""
    cls = LEARNERS[name]
    if target not in cls.targets:  # type: ignore[attr-defined]
        able = [other for other, others in LEARNERS.items() if target in others.targets]  # type: ignore[attr-defined]
        raise BadRequest(f"the learner {name} learns {', '.join(cls.targets)} and not {target}; learners of {target} are {', '.join(able)}")  # type: ignore[attr-defined]
    return build(cls, params)


def baselines_of(question: Question) -> dict[str, dict[str, Any]]:
    """Baselines that learn the target, with their parameters: on quantiles those that give quantiles, of the same levels."""
    levels = {p.name: value for p in params_of(LEARNERS[question.learner]) if p.name == "levels" and (value := question.learner_params.get("levels", p.default))}
    chosen = {}
    for name in BASELINES:
        if name in LEARNERS and name != question.learner and question.target in LEARNERS[name].targets:  # type: ignore[attr-defined]
            own = {p.name for p in params_of(LEARNERS[name])}
            chosen[name] = {key: value for key, value in levels.items() if key in own}
    return chosen


def _baseline(sample_set: SampleSet, fold: Fold, question: Question, name: str, params: Mapping[str, Any], watch: Watch) -> tuple[np.ndarray, tuple[str, ...]]:
    """A baseline's outputs on the test part, as its learner gives them, and their names; quantiles in order."""
    fitted = fit_learner(name, params, sample_set, fold, question, watch)
    pipeline = FittedPipeline(fitted, name, question.target, sample_set.samples.task, sample_set.samples.classes, sample_set.samples.columns, 0)
    raw = pipeline.raw(sample_set.samples.take(fold.parts["test"]))
    return (in_order(raw)[0] if levels_of(fitted.outputs) else raw), tuple(fitted.outputs)


def _calibrations(outputs: tuple[str, ...], raw: np.ndarray, held_out: Samples) -> tuple[Calibration, ...]:
    """One for each probability; a class against all others."""
    if held_out.task == "number":
        return tuple(Calibration() for _ in outputs)
    events = {"p": held_out.y} if held_out.task == "binary" else {f"p_{name}": (held_out.y == k).astype(np.float64) for k, name in enumerate(held_out.classes)}
    return tuple(calibrate(raw[:, k], events[name]) for k, name in enumerate(outputs))


def _filter(sample_set: SampleSet, fold: Fold, question: Question, pipeline: FittedPipeline, raw: np.ndarray) -> Filter:
    """Of the calibration part's scores and results."""
    fitting, rows, outputs = question.fitting, fold.parts["calibration"], pipeline.outputs
    rule = fit_filter(question.target, fitting.filter, fitting.share, score_of(outputs, raw), sample_set.r[rows])
    if fitting.size == "one":
        return rule
    if chance_of(question.target, outputs, normalised(raw, pipeline.task)) is None:
        raise BadRequest(f"size = meta needs the chance of a win, and {question.target} has none; use the target win, fake, above or barrier, or size = one")
    return replace(rule, size="meta", p0=break_even(sample_set.r[fold.parts["train"]]))


def _check(samples: Samples, rows: np.ndarray, fold: Fold) -> None:
    if len(rows) < LEAST:
        raise BadRequest(f"fold {fold.number} trains on {len(rows):,} samples; it needs at least {LEAST}. Give more bars, or a longer train window")
    if samples.task != "number" and len(seen := np.unique(samples.y[rows])) < 2:
        what = samples.classes[int(seen[0])] if samples.classes else ("yes" if seen[0] else "no")
        raise BadRequest(f"fold {fold.number} trains on one class only: all its {len(rows):,} labels are {what}. Give more bars, or another target")


def _until(samples: Samples, parts: Mapping[Any, np.ndarray]) -> int:
    ends = [int(samples.end[parts[part]].max()) for part in ("train", "validation", "calibration") if len(parts[part])]
    return max(ends)
