"""Probabilities that mean what they say: what a learner gives, mapped on the shares that were seen in the calibration part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.models.one_order import one_order

SAMPLES, RARER = 1_000, 100     # from which an isotonic map is fitted; below, a sigmoid, which has two parameters
EDGE, STEPS = 1e-9, 100


@dataclass(frozen=True)
class Calibration:
    """A map from a learner's probability to a calibrated one. ``kind``: isotonic (``x`` -> ``y``, linear between), sigmoid (``x`` = slope, intercept on the
    logit) or none. ``edge``: no probability is nearer to 0 or 1, since ``n`` samples show no rarer event than 1/(n + 2)."""

    kind: str = "none"
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    edge: float = 0.0

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        if self.kind == "none":
            return raw
        mapped = np.interp(raw, self.x, self.y) if self.kind == "isotonic" else _expit(self.x[0] * _logit(raw) + self.x[1])
        return np.clip(mapped, self.edge, 1 - self.edge)

    def values(self) -> dict[str, Any]:
        return dict(kind=self.kind, x=list(self.x), y=list(self.y), edge=self.edge)


def calibration_from(values: Mapping[str, Any]) -> Calibration:
    """Of ``Calibration.values``."""
    return Calibration(values["kind"], tuple(values["x"]), tuple(values["y"]), values["edge"])


def calibrate(raw: np.ndarray, happened: np.ndarray) -> Calibration:
    """The map for probabilities ``raw`` of what ``happened`` (0 or 1): isotonic from 1,000 samples with 100 of the rarer class, else a sigmoid; none
    where the samples are of one class.

    >>> calibrate(np.array([0.2, 0.4, 0.6]), np.zeros(3)).kind
    'none'
    >>> raw = np.tile([0.2, 0.8], 500)
    >>> calibrate(raw, np.tile([0.0, 1.0, 0.0, 0.0], 250))(np.array([0.2, 0.8])).round(3).tolist()
    [0.001, 0.5]
    """
    rarer = min(int((happened > 0).sum()), int((happened <= 0).sum()))
    if not rarer:
        return Calibration()
    edge = 1.0 / (len(raw) + 2)
    if len(raw) < SAMPLES or rarer < RARER:
        with one_order():
            return Calibration("sigmoid", _sigmoid(_logit(raw), happened), (), edge)
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit(raw, happened)
    return Calibration("isotonic", tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_)), edge)


def _sigmoid(logit: np.ndarray, happened: np.ndarray) -> tuple[float, float]:
    """Slope and intercept by Newton's method on Platt's targets, (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2), which keep the slope finite where the classes separate.
    Platt (1999), Probabilistic outputs for support vector machines; Lin, Lin & Weng (2007)."""
    positive = happened > 0
    target = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))
    design = np.column_stack([logit, np.ones_like(logit)])
    point, loss = np.array([1.0, 0.0]), np.inf
    for _ in range(STEPS):
        p = _expit(design @ point)
        gradient = design.T @ (p - target)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step, factor = np.linalg.solve(hessian, gradient), 1.0
        while factor > 1e-6 and (after := _loss(design @ (point - factor * step), target)) > (loss if np.isfinite(loss) else _loss(design @ point, target)) + 1e-12:
            factor /= 2
        moved = np.abs(factor * step).max()
        point, loss = point - factor * step, after
        if moved < 1e-10:
            break
    if point[0] < 0.0:      # what is higher happened more seldom: nothing was learnt, and the best that does not turn the order round is the share itself
        return 0.0, float(_logit(target.mean()))
    return float(point[0]), float(point[1])


def _loss(score: np.ndarray, target: np.ndarray) -> float:
    return float((np.logaddexp(0, score) - target * score).sum())


def _logit(p: np.ndarray) -> np.ndarray:
    clipped = np.clip(p, EDGE, 1 - EDGE)
    return np.log(clipped) - np.log1p(-clipped)


def _expit(score: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(score, -700, 700)))
