"""Which signals are taken, and how large: a rule on a model's score, fitted on the calibration part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.errors import BadRequest

FALLING = ("fake",)     # targets whose high score is bad


@dataclass(frozen=True)
class Filter:
    """``kind``: expected (taken where R, regressed isotonically on the score, is above 0) or share (taken at ``threshold`` or better). ``rising``: a high score is good.
    ``x`` -> ``y``: expected R by score, linear between. ``p0``: chance of a win at which a bet breaks even, for ``size`` = meta."""

    kind: str
    rising: bool
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    threshold: float = float("nan")
    size: str = "one"
    p0: float = float("nan")

    def expected(self, score: np.ndarray) -> np.ndarray:
        """R that the score stands for; NaN where the filter saw nothing."""
        return np.interp(score, self.x, self.y) if self.x else np.full(len(score), np.nan)

    def taken(self, score: np.ndarray) -> np.ndarray:
        if self.kind == "expected":
            return self.expected(score) > 0
        return score >= self.threshold if self.rising else score <= self.threshold

    def sizes(self, score: np.ndarray, chance: np.ndarray | None) -> np.ndarray:
        """The share of the usual size, 0 where it is not taken. ``chance``: calibrated chance of a win, for meta."""
        taken = self.taken(score)
        if self.size != "meta" or chance is None:
            return taken.astype(np.float64)
        return np.where(taken, meta_size(chance, self.p0), 0.0)

    def values(self) -> dict[str, Any]:
        return dict(kind=self.kind, rising=self.rising, x=list(self.x), y=list(self.y), threshold=_plain(self.threshold), size=self.size, p0=_plain(self.p0))


def filter_from(values: Mapping[str, Any]) -> Filter:
    """Of ``Filter.values``."""
    number = {name: float("nan") if values[name] is None else values[name] for name in ("threshold", "p0")}
    return Filter(values["kind"], values["rising"], tuple(values["x"]), tuple(values["y"]), number["threshold"], values["size"], number["p0"])


def fit_filter(target: str, kind: str, share: float, score: np.ndarray, r: np.ndarray) -> Filter:
    """The rule from scores and results (in R) of the calibration part. Where there are none, nothing is taken.

    >>> rule = fit_filter("fake", "expected", 0.5, np.array([0.1, 0.2, 0.8, 0.9]), np.array([1.0, 2.0, -1.0, -1.0]))
    >>> rule.taken(np.array([0.15, 0.85])).tolist()
    [True, False]
    >>> fit_filter("win", "share", 0.25, np.array([0.1, 0.2, 0.8, 0.9]), np.ones(4)).threshold
    0.9
    """
    known = np.isfinite(score) & np.isfinite(r)
    score, r, rising = score[known], r[known], target not in FALLING
    if kind == "share":
        ranked = np.sort(score)[::-1] if rising else np.sort(score)
        return Filter(kind, rising, threshold=float(ranked[max(round(share * len(ranked)), 1) - 1]) if len(ranked) else float("nan"))
    if not len(score):
        return Filter(kind, rising)
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(increasing=rising, out_of_bounds="clip").fit(score, r)
    return Filter(kind, rising, tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_)))


def break_even(r: np.ndarray) -> float:
    """p0 = L/(W + L), from the mean loss and the mean win in R.

    >>> break_even(np.array([2.0, -1.0, 2.0, -1.0]))
    0.3333333333333333
    """
    r = r[np.isfinite(r)]
    wins, losses = r[r > 0], -r[r <= 0]
    if not len(wins) or not len(losses):
        raise BadRequest(f"size = meta needs wins and losses in training; it has {len(wins):,} wins and {len(losses):,} losses. Use size = one")
    return float(losses.mean() / (wins.mean() + losses.mean()))


def meta_size(p: np.ndarray, p0: float) -> np.ndarray:
    """(p − p0)/(1 − p0), between 0 and 1: Kelly's share of a bet that wins W and loses L.

    >>> meta_size(np.array([0.2, 1 / 3, 1.0]), 1 / 3).round(3).tolist()
    [0.0, 0.0, 1.0]
    """
    return np.clip((p - p0) / (1 - p0), 0.0, 1.0)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
