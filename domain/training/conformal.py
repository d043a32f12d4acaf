"""Intervals that hold what they promise: a margin on each pair of quantiles, learned from what was missed.

Conformalised quantile regression (Romano, Patterson & Candès 2019) with an adaptive level (Gibbs & Candès 2021, Adaptive conformal inference under
distribution shift). For each pair (τ, 1 − τ), α = 2τ, the score of a label is s = max(q_lo − y, y − q_hi); the margin is the k-th smallest of the last 2,000
scores, k = ⌈(n + 1)(1 − α_t)⌉ kept in 1…n, and α_{t+1} = α_t + γ(α − miss_t). A score and a miss count once the label's end has passed.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

WINDOW = 2_000


def levels_of(outputs: Iterable[str]) -> tuple[float, ...]:
    """Of the outputs that are quantiles.

    >>> levels_of(("q_0.1", "q_0.5", "value"))
    (0.1, 0.5)
    """
    return tuple(float(name[2:]) for name in outputs if name.startswith("q_"))


def in_order(quantiles: np.ndarray) -> tuple[np.ndarray, float]:
    """Each row in ascending order, and the share of rows that were not.

    >>> in_order(np.array([[1.0, 2.0], [4.0, 3.0]]))[0].tolist(), in_order(np.array([[1.0, 2.0], [4.0, 3.0]]))[1]
    ([[1.0, 2.0], [3.0, 4.0]], 0.5)
    """
    crossed = np.any(np.diff(quantiles, axis=1) < 0, axis=1)
    return np.sort(quantiles, axis=1), float(np.mean(crossed)) if len(quantiles) else 0.0


def pairs_of(levels: Sequence[float]) -> tuple[tuple[int, int], ...]:
    """Places of the levels τ < ½ with their 1 − τ, the outermost first.

    >>> pairs_of((0.05, 0.1, 0.5, 0.9, 0.95))
    ((0, 4), (1, 3))
    """
    pairs = ((low, high) for low, tau in enumerate(levels) for high, other in enumerate(levels) if tau < 0.5 and abs(tau + other - 1) < 1e-9)
    return tuple(sorted(pairs, key=lambda pair: levels[pair[0]]))


@dataclass
class Scores:
    """The last ``WINDOW`` scores of a pair, in the order they came and sorted."""

    came: deque[float] = field(default_factory=deque)
    ordered: list[float] = field(default_factory=list)

    def add(self, score: float) -> None:
        if len(self.came) == WINDOW:
            del self.ordered[bisect_left(self.ordered, self.came.popleft())]
        self.came.append(score)
        insort(self.ordered, score)

    def margin(self, alpha: float) -> float:
        """The k-th smallest; 0 while there are none."""
        n = len(self.ordered)
        return self.ordered[min(max(math.ceil((n + 1) * (1 - alpha)), 1), n) - 1] if n else 0.0


class Conformal:
    """Margins on the pairs of ``levels``, row after row. ``kind``: adaptive, split (neither scores nor level ever move) or none. It changes as it goes on;
    ``values`` is its state, from which ``conformal_from`` goes on."""

    def __init__(self, levels: Sequence[float], kind: str = "adaptive", gamma: float = 0.005) -> None:
        self.levels, self.kind, self.gamma = tuple(levels), kind, gamma
        self.pairs = pairs_of(self.levels)
        self.scores = [Scores() for _ in self.pairs]
        self.alpha = [2 * self.levels[low] for low, _ in self.pairs]

    def start(self, quantiles: np.ndarray, y: np.ndarray, end: np.ndarray) -> Conformal:
        """Scores of the calibration part: ``quantiles`` in order, rows × levels; the last of them by ``end`` stay."""
        for row in np.argsort(end, kind="stable")[-WINDOW:] if self.kind != "none" else ():
            self._score(quantiles[row].tolist(), float(y[row]))
        return self

    def intervals(self, quantiles: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
        """``quantiles`` (in order, rows × levels) with their margins, each row by what had ended by its ``start``. NaN in ``y``: not known.
        ``counts``: rows whose label may count (all)."""
        if self.kind == "none" or not self.pairs:
            return quantiles.copy()
        rows, labels, starts, ends = quantiles.tolist(), y.tolist(), start.tolist(), end.tolist()
        widened: list[list[float]] = [[]] * len(rows)
        waiting: list[tuple[int, int, int]] = []
        for number, row in enumerate(np.argsort(start, kind="stable").tolist()):
            while waiting and waiting[0][0] <= starts[row]:
                ended = heapq.heappop(waiting)[2]
                self._score(rows[ended], labels[ended])
                self._adapt(widened[ended], labels[ended])
            widened[row] = self._widened(rows[row])
            if self.kind == "adaptive" and labels[row] == labels[row] and (counts is None or counts[row]):
                heapq.heappush(waiting, (ends[row], number, row))
        return np.array(widened, np.float64).reshape(quantiles.shape)

    def _score(self, row: list[float], y: float) -> None:
        for scores, (low, high) in zip(self.scores, self.pairs, strict=True):
            scores.add(max(row[low] - y, y - row[high]))

    def _adapt(self, row: list[float], y: float) -> None:
        for number, (low, high) in enumerate(self.pairs):
            miss = not row[low] <= y <= row[high]
            self.alpha[number] += self.gamma * (2 * self.levels[low] - miss)

    def _widened(self, row: list[float]) -> list[float]:
        """One row: lo > hi meet midway, what lies inside a pair is clipped into it, and what lies outside of the outermost one stays outside."""
        wide, bottom, top = row.copy(), -math.inf, math.inf
        for scores, alpha, (low, high) in zip(self.scores, self.alpha, self.pairs, strict=True):
            margin = scores.margin(alpha)
            lower, upper = row[low] - margin, row[high] + margin
            if lower > upper:
                lower = upper = (lower + upper) / 2
            bottom, top = min(max(lower, bottom), top), max(min(upper, top), bottom)
            wide[low], wide[high] = bottom, top
            for inner in range(low + 1, high):
                wide[inner] = min(max(wide[inner], bottom), top)
        first, last = self.pairs[0]
        wide[:first] = [min(value, wide[first]) for value in wide[:first]]
        wide[last + 1:] = [max(value, wide[last]) for value in wide[last + 1:]]
        return wide

    def values(self) -> dict[str, Any]:
        return dict(kind=self.kind, gamma=self.gamma, levels=list(self.levels), alpha=list(self.alpha), scores=[list(scores.came) for scores in self.scores])


def conformal_from(values: Mapping[str, Any]) -> Conformal:
    """Goes on from ``Conformal.values``."""
    conformal = Conformal(values["levels"], values["kind"], values["gamma"])
    conformal.alpha = list(values["alpha"])
    conformal.scores = [Scores(deque(came), sorted(came)) for came in values["scores"]]
    return conformal
