"""Scores of some predictions: one row of figures, and the reason beside each figure that does not exist."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.models.base import Task
from domain.training import losses
from domain.training.calibration_table import calibration_error

NONE = "There are no rows."
FLAT = "All predictions are the same."
FLAT_Y = "All labels are the same."
ONE = "All rows are of one class."
DIRECTIONS = ("down", "flat", "up")
FEW = 10                # rows, under which a rank correlation is not given


@dataclass(frozen=True)
class Outputs:
    """What predictions say, in columns. ``p``: names of probabilities, in the order of ``classes`` where there are several; ``quantiles``: by rising level."""

    task: Task
    p: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    quantiles: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Places of τ and 1 − τ, the widest pair first."""
        return tuple(
            (low, high)
            for low, level in enumerate(self.levels)
            for high, other in enumerate(self.levels)
            if low < high and math.isclose(level + other, 1.0, abs_tol=1e-9)
        )


def outputs_of(columns: Sequence[str], task: Task, classes: Sequence[str] = (), prefix: str = "") -> Outputs:
    """Which of ``columns`` are outputs; with ``prefix`` ``raw_`` those before calibration.

    >>> outputs_of(["y", "q_0.9", "q_0.1", "raw_q_0.1"], "number").quantiles
    ('q_0.1', 'q_0.9')
    """
    if task == "number":
        begin = f"{prefix}q_"
        matches = sorted((float(name.removeprefix(begin)), name) for name in columns if name.startswith(begin))
        return Outputs(task, (), tuple(level for level, _ in matches), tuple(name for _, name in matches))
    named = [f"{prefix}p"] if task == "binary" else [f"{prefix}p_{name}" for name in classes]
    return Outputs(task, tuple(named), classes=tuple(classes))


def point(frame: pd.DataFrame, outputs: Outputs, prefix: str = "") -> np.ndarray:
    """One number for each row by which rows can be put in order: p, the value, or the quantile nearest to the median. Of several classes none: NaN."""
    if outputs.task == "binary":
        return frame[outputs.p[0]].to_numpy(float)
    if outputs.task == "classes":
        return np.full(len(frame), np.nan)
    if outputs.quantiles:
        return frame[outputs.quantiles[int(np.argmin(np.abs(np.array(outputs.levels) - 0.5)))]].to_numpy(float)
    return frame[f"{prefix}value"].to_numpy(float)


def scores_of(frame: pd.DataFrame, outputs: Outputs, prefix: str = "") -> dict[str, Any]:
    """``rows`` and the figures of the task, None where one does not exist; ``reasons``: why, by figure.

    Binary: ``rate`` (share of 1), ``predicted`` (mean p), ``brier, log_loss, auc, pr_auc, calibration_error, rank_ic``. Classes: ``brier, log_loss``, ``auc`` and
    ``pr_auc`` and ``calibration_error`` as means over the classes against the rest, ``accuracy``, and ``rank_ic`` of a direction. Numbers: ``mae, mse, rank_ic``; quantiles: ``pinball`` (mean over levels),
    ``crps`` (twice its integral over the levels), and of the widest pair ``coverage, nominal, width``.
    """
    y = frame["y"].to_numpy(float)
    figures: dict[str, Any] = dict(rows=len(frame))
    reasons: dict[str, str] = {}
    given = {"binary": _binary, "classes": _classes, "number": _number}[outputs.task](frame, outputs, y, prefix)
    for name, value in given.items():
        figures[name] = None if isinstance(value, str) else float(value)
        if isinstance(value, str):
            reasons[name] = value
    return {**figures, "reasons": reasons}


def _binary(frame: pd.DataFrame, outputs: Outputs, y: np.ndarray, _: str) -> dict[str, float | str]:
    p = frame[outputs.p[0]].to_numpy(float)
    if not len(y):
        return dict.fromkeys(("rate", "predicted", "brier", "log_loss", "auc", "pr_auc", "calibration_error", "rank_ic"), NONE)
    return dict(
        rate=y.mean(), predicted=p.mean(), brier=losses.brier(y, p).mean(), log_loss=losses.log_loss(y, p).mean(), auc=auc(y, p), pr_auc=pr_auc(y, p),
        calibration_error=calibration_error(y, p), rank_ic=rank_ic(p, y),
    )  # fmt: skip


def _classes(frame: pd.DataFrame, outputs: Outputs, y: np.ndarray, _: str) -> dict[str, float | str]:
    p = frame[list(outputs.p)].to_numpy(float)
    if not len(y):
        return dict.fromkeys(("brier", "log_loss", "accuracy", "auc", "pr_auc", "calibration_error", "rank_ic"), NONE)
    return dict(
        brier=losses.brier(y, p).mean(), log_loss=losses.log_loss(y, p).mean(), accuracy=(p.argmax(axis=1) == y).mean(), auc=_mean_over_classes(auc, y, p),
        pr_auc=_mean_over_classes(pr_auc, y, p), calibration_error=_mean_over_classes(calibration_error, y, p), rank_ic=_rank_of_classes(p, outputs.classes, y),
    )  # fmt: skip


def _rank_of_classes(p: np.ndarray, classes: tuple[str, ...], y: np.ndarray) -> float | str:
    """Of a direction, by the probability of up less that of down."""
    if classes != DIRECTIONS:
        return "Its classes have no order."
    return rank_ic(p[:, 2] - p[:, 0], y)


def _mean_over_classes(figure: Any, y: np.ndarray, p: np.ndarray) -> float | str:
    each = [figure((y == number) * 1.0, p[:, number]) for number in range(p.shape[1])]
    missing = [number for number, value in enumerate(each) if isinstance(value, str)]
    return "Not every class has rows." if missing else float(np.mean(each))


def _number(frame: pd.DataFrame, outputs: Outputs, y: np.ndarray, prefix: str) -> dict[str, float | str]:
    if not len(y):
        named = ("pinball", "crps", "coverage", "nominal", "width") if outputs.quantiles else ("mse",)
        return dict.fromkeys(("mae", "rank_ic", *named), NONE)
    value = point(frame, outputs, prefix)
    figures: dict[str, float | str] = dict(mae=np.abs(y - value).mean(), rank_ic=rank_ic(value, y))
    if not outputs.quantiles:
        return figures | dict(mse=((y - value) ** 2).mean())
    quantiles = frame[list(outputs.quantiles)].to_numpy(float)
    mean = losses.pinball(y, quantiles, outputs.levels).mean()
    return figures | dict(pinball=mean, crps=losses.crps(y, quantiles, outputs.levels).mean()) | _covered(y, quantiles, outputs)


def _covered(y: np.ndarray, quantiles: np.ndarray, outputs: Outputs) -> dict[str, float | str]:
    if not outputs.pairs:
        return dict.fromkeys(("coverage", "nominal", "width"), "No two levels are τ and 1 − τ.")
    low, high = outputs.pairs[0]
    inside = (y >= quantiles[:, low]) & (y <= quantiles[:, high])
    return dict(coverage=inside.mean(), nominal=outputs.levels[high] - outputs.levels[low], width=(quantiles[:, high] - quantiles[:, low]).mean())


def auc(y: np.ndarray, score: np.ndarray) -> float | str:
    """Area under the ROC curve: how often a random 1 has a higher score than a random 0, ties counting half. A reason where there is one class only.

    >>> auc(np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.1, 0.4, 0.35, 0.4]))
    0.625
    """
    above = y > 0.5
    ones, zeros = int(above.sum()), int((~above).sum())
    if not ones or not zeros:
        return ONE
    return float((mean_ranks(score)[above].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def pr_auc(y: np.ndarray, score: np.ndarray) -> float | str:
    """Average precision: Σ (recall step) × precision over falling scores, equal scores one step; the rate of 1 for a score that knows nothing.

    >>> round(float(pr_auc(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]))), 6)
    0.833333
    """
    above = y > 0.5
    if not above.any() or above.all():
        return ONE
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(above[order])[last]
    return float(np.sum(np.diff(hits, prepend=0) * hits / (last + 1.0)) / above.sum())


def rank_ic(score: np.ndarray, y: np.ndarray) -> float | str:
    """Spearman's correlation of predictions and labels, ties at their mean rank; a reason where either does not vary, or under 10 rows.

    >>> rank_ic(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    'There are under 10 rows.'
    """
    if len(y) < FEW:
        return f"There are under {FEW} rows."
    ranked = [mean_ranks(values) - (len(y) + 1) / 2 for values in (score, y)]
    sizes = [math.sqrt(float(values @ values)) for values in ranked]
    if not sizes[0] or not sizes[1]:
        return FLAT if not sizes[0] else FLAT_Y
    return float(ranked[0] @ ranked[1]) / (sizes[0] * sizes[1])


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties at their mean.

    >>> mean_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, level, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2.0)[level]
