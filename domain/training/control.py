"""The control: a question requested again with its labels permuted, of which nothing can be learnt.

Labels are permuted over all samples, so within a fold those of the test part are exchangeable whatever was trained on the others: the expected AUC is 0.5
and the expected rank correlation 0, with standard errors that are exact however much samples overlap. What is found all the same came through the pipeline.
It finds what was fitted outside its fold, not what looks ahead: that is the gate's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from domain.models.base import Task
from domain.training.protocols import FoldLike, ResultLike, SetLike
from domain.training.scores import FEW, Outputs, mean_ranks, outputs_of, point

Fold = TypeVar("Fold", bound=FoldLike)
Set = TypeVar("Set", bound=SetLike)
FOLDS = 3               # that are fitted again
BOUND = 4.0             # standard errors


def control_folds(folds: Sequence[Fold], count: int = FOLDS) -> tuple[Fold, ...]:
    """Up to ``count`` of the folds, spread over all of them, no two of which test the same sample.

    >>> from types import SimpleNamespace
    >>> folds = [SimpleNamespace(number=number, parts=dict(test=np.array(rows))) for number, rows in enumerate([[0, 1], [0, 2], [1, 2], [3], [4]])]
    >>> [fold.number for fold in control_folds(folds)]
    [0, 3, 4]
    """
    chosen: list[Fold] = []
    tested: set[int] = set()
    spread = [round(place) for place in np.linspace(0, len(folds) - 1, min(count, len(folds)))] if folds else []
    for place in dict.fromkeys([*spread, *range(len(folds))]):
        rows = set(folds[place].parts["test"].tolist())
        if len(chosen) < count and rows and not rows & tested:
            chosen.append(folds[place])
            tested |= rows
    return tuple(sorted(chosen, key=lambda fold: fold.number))


def permuted(sample_set: Set, seed: int) -> Set:
    """The same samples with their labels, and ``r`` and labels of other targets with them, permuted over all of them: each has the label of another one, chosen by ``seed``."""
    samples = sample_set.samples
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(samples))
    drawn = replace(samples, y=samples.y[order], beside={name: values[order] for name, values in samples.beside.items()})
    return replace(sample_set, samples=drawn, r=sample_set.r[order])  # type: ignore[type-var]


def control(results: Sequence[ResultLike], task: Task, classes: Sequence[str] = ()) -> dict[str, Any]:
    """What was learnt of permuted labels: ``state, sentence, folds, rows, bound``, and ``auc, auc_error`` or ``rank_ic, ic_error``, None where there is none.

    ``results``: of ``fit_fold(permuted(sample_set, seed), fold, …)`` for each of ``control_folds(folds)``. ``state``: ``green`` within ``bound`` standard errors,
    ``red`` beyond, ``open`` where nothing could be measured. AUC and rank correlation compare within folds alone, and are added up over folds. Of several
    classes the AUC furthest from 0.5 counts, each class against the rest.
    """
    frames = [result.predictions for result in results if len(result.predictions)]
    facts: dict[str, Any] = dict(folds=len(frames), rows=sum(len(frame) for frame in frames), bound=BOUND, auc=None, auc_error=None, rank_ic=None, ic_error=None)
    if not frames:
        return dict(state="open", sentence="The control had no fold to test.") | facts
    outputs = outputs_of(list(frames[0]), task, classes)
    if task == "number":
        return _by_rank([(point(frame, outputs), frame["y"].to_numpy(float)) for frame in frames], facts)
    return _by_auc(frames, outputs, facts)


def _by_rank(pairs: Sequence[tuple[np.ndarray, np.ndarray]], facts: dict[str, Any]) -> dict[str, Any]:
    """Mean of the folds' rank correlations by their rows; its standard error is 1 ÷ √n."""
    pairs = [(score, y) for score, y in pairs if len(y) >= FEW]
    rows = sum(len(y) for _, y in pairs)
    if not rows:
        return dict(state="open", sentence=f"The control has no fold of {FEW} rows.") | facts
    ic, error = sum(len(y) * _correlation(score, y) for score, y in pairs) / rows, 1.0 / math.sqrt(rows)
    return facts | dict(rank_ic=ic, ic_error=error) | _verdict("rank IC", ic, 0.0, error)


def _correlation(score: np.ndarray, y: np.ndarray) -> float:
    """Spearman's; 0 where either does not vary: nothing was learnt."""
    ranked = [mean_ranks(values) - (len(y) + 1) / 2 for values in (score, y)]
    size = math.sqrt(float(ranked[0] @ ranked[0]) * float(ranked[1] @ ranked[1]))
    return float(ranked[0] @ ranked[1]) / size if size else 0.0


def _by_auc(frames: Sequence[pd.DataFrame], outputs: Outputs, facts: dict[str, Any]) -> dict[str, Any]:
    areas = [area for area in (pooled_auc(pairs) for pairs in _against_rest(frames, outputs)) if area]
    if not areas:
        return dict(state="open", sentence="The control's folds each hold one class only.") | facts
    auc, error = max(areas, key=lambda area: abs(area[0] - 0.5) / area[1] if area[1] else 0.0)
    return facts | dict(auc=auc, auc_error=error) | _verdict("AUC", auc, 0.5, error)


def _against_rest(frames: Sequence[pd.DataFrame], outputs: Outputs) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """For each class pairs of whether it is and its p, by fold; of a binary target once."""
    for number, name in enumerate(outputs.p):
        yield [((frame["y"] == (1 if outputs.task == "binary" else number)).to_numpy(), frame[name].to_numpy(float)) for frame in frames]


def pooled_auc(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float] | None:
    """AUC over all pairs of a 1 and a 0 of the same fold, and its standard error where labels are exchangeable; None where no fold has both.

    Var(AUC) = Σ n₁ n₀ ((n + 1) − Σ (t³ − t) ÷ (n (n − 1))) ÷ 12 ÷ (Σ n₁ n₀)², t the sizes of ties. Source: Mann & Whitney (1947); Lehmann (1975), ties.

    >>> pooled_auc([(np.array([True, False]), np.array([0.9, 0.1]))])
    (1.0, 0.5)
    """
    above = variance = compared = 0.0
    for is_one, score in pairs:
        ones, n = float(is_one.sum()), len(score)
        zeros = n - ones
        if ones and zeros:
            tied = np.unique(score, return_counts=True)[1].astype(float)
            above += float(mean_ranks(score)[is_one].sum()) - ones * (ones + 1) / 2
            variance += ones * zeros * ((n + 1) - float((tied**3 - tied).sum()) / (n * (n - 1))) / 12
            compared += ones * zeros
    return (above / compared, math.sqrt(max(variance, 0.0)) / compared) if compared else None


def _verdict(name: str, value: float, expected: float, error: float) -> dict[str, Any]:
    apart = f"{name} {value:.3f}, expected {expected:g} ± {error:.4f}"
    if abs(value - expected) <= BOUND * error + 1e-12:
        return dict(state="green", sentence=f"Nothing was learnt of permuted labels: {apart}.")
    return dict(state="red", sentence=f"Something was learnt of permuted labels: {apart}, more than {BOUND:g} standard errors apart. The pipeline leaks.")
