"""Information of a feature: rank correlation with the target and its standard error, mutual information, and multiple-testing correction."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from domain.analytics.guards import size_of
from domain.laboratory.ranks import Ranked, bins, scores
from domain.rounding import ROUNDING

BINS = 64
TURNS = 20      # draws of mutual information by luck


@dataclass
class View:
    """A target in ``count`` groups of rows; ``groups``: the number of each row's group, below 0 for none. ``overlap``: so many successive values may
    share time. ``place``: the number of each row's moment, where several rows (instruments) share one."""

    target: Ranked
    groups: np.ndarray
    count: int
    overlap: int = 1
    place: np.ndarray | None = None
    _last: tuple[np.ndarray, np.ndarray] | None = field(default=None, init=False, repr=False)

    def scores(self, group: np.ndarray) -> np.ndarray:
        """The target's scores within ``group``; cached for the next feature with the same missing rows."""
        if self._last is None or not np.array_equal(self._last[0], group):
            self._last = group, scores(self.target, group)
        return self._last[1]


def all_rows(target: Ranked, overlap: int = 1, place: np.ndarray | None = None) -> View:
    """All rows as one group."""
    return View(target, np.zeros(len(target.level), np.int64), 1, overlap, place)


def association(feature: Ranked, view: View) -> pd.DataFrame:
    """``count, ic, t, p`` of each group of rows of ``view``.

    ``ic`` is Spearman's correlation over the group's rows that have both values, ranked anew within them. ``t`` = ic ÷ its standard error after
    Newey & West (1987), of the mean of the products of both scores, with Bartlett weights over ``width(overlap)`` values: overlapping targets
    and swings of volatility widen it. ``p``: two-sided, of Student's t with 1.5 · count ÷ width degrees of freedom. NaN under 10 rows or where all are tied.
    Where rows share a moment their products are added up first (Driscoll & Kraay 1998).

    >>> from domain.laboratory.ranks import rank
    >>> rising = rank(np.arange(12.0))
    >>> association(rising, all_rows(rising))["ic"].round(6).tolist()
    [1.0]
    """
    count, place = view.count, view.place
    group = np.where(feature.valid & view.target.valid, view.groups, -1)
    product = scores(feature, group) * view.scores(group)
    rows = np.flatnonzero(group >= 0)
    size = np.bincount(group[rows], minlength=count)
    parts = _by_group(product, rows, group, size)
    ic = [float(part.mean()) if len(part) >= 10 else np.nan for part in parts]
    moments: list = _by_group(place, rows, group, size) if place is not None else [None] * count
    errors = [_error_and_degrees(part, mean, view.overlap, moment) if np.isfinite(mean) else (np.nan, np.nan) for part, mean, moment in zip(parts, ic, moments, strict=True)]
    error, degrees = np.array(errors, float).reshape(-1, 2).T
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > ROUNDING * np.abs(ic), np.array(ic) / error, np.nan)
    return pd.DataFrame(dict(count=size, ic=ic, t=t, p=_two_sided(t, degrees)))


def _by_group(values: np.ndarray, rows: np.ndarray, group: np.ndarray, size: np.ndarray) -> list[np.ndarray]:
    if len(size) > 1:
        own = group[rows]
        rows = rows[np.argsort(own.astype(np.int16) if len(size) < 1 << 15 else own, kind="stable")]
    return np.split(values[rows], np.cumsum(size)[:-1])


def _error_and_degrees(product: np.ndarray, mean: float, overlap: int, moment: np.ndarray | None) -> tuple[float, float]:
    """Standard error of the mean, and degrees of freedom."""
    apart: np.ndarray = product - mean
    if moment is not None:
        present = np.bincount(moment - moment.min())
        apart = np.bincount(moment - moment.min(), apart)[present > 0]
    steps = min(width(overlap, len(apart)), max(len(apart) // 4, 1))
    return standard_error(apart, steps) * len(apart) / len(product), 1.5 * len(apart) / steps


def width(overlap: int, count: int) -> int:
    """Values over which dependence is allowed for: four times the overlap, so that Bartlett's weights take little from it, and at least
    the rule of Newey & West (1994), 4 (count ÷ 100)^(2/9)."""
    return max(4 * overlap if overlap > 1 else 1, math.ceil(4 * (count / 100) ** (2 / 9)))


def standard_error(apart: np.ndarray, steps: int) -> float:
    """Of the mean of a series whose mean is 0, with Bartlett weights 1 − k ÷ ``steps``; the same as adding up squares of all sums over ``steps`` values.

    >>> standard_error(np.array([1.0, -1.0, 1.0, -1.0]), 1)
    0.5
    """
    none = np.zeros(steps)
    total = np.cumsum(np.concatenate((none, apart, none)))
    sums = total[steps:] - total[:-steps]
    return math.sqrt(float(sums @ sums) / steps) / len(apart)


def _two_sided(t: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    from scipy.stats import t as student

    return 2.0 * student.sf(np.abs(t), degrees)


def mutual_information(feature: Ranked, target: Ranked, seed: int, count: int = BINS, turns: int = TURNS) -> dict[str, float]:
    """``raw, bias, information, luck, p`` in nats, over ``count`` × ``count`` bins of equal frequency.

    ``raw`` = Σ p(x, y) log(p(x, y) ÷ (p(x) p(y))); ``bias`` after Miller & Madow: (filled pairs − filled x − filled y + 1) ÷ 2n, right for independent
    rows; ``information`` = raw − bias. Overlapping targets and slow features share luck, so ``luck`` is the mean of ``information`` over ``turns`` random
    turns of the target around its circle, each of which keeps both courses and breaks what links them. ``p``: one-sided, of Student's t of
    ``information`` against those turns. NaN where fewer than 5 rows a bin
    have both values, or one of them does not vary.
    """
    rows = feature.valid & target.valid
    n = int(rows.sum())
    if n < 5 * count or min(np.ptp(ranked.level[rows]) for ranked in (feature, target)) == 0:
        return dict.fromkeys(("raw", "bias", "information", "luck", "p"), np.nan)
    x, y = (bins(ranked, rows, count)[rows] for ranked in (feature, target))
    of_x, of_y = (np.bincount(ranked, minlength=count) for ranked in (x, y))
    raw, bias = _information(x * count, y, of_x, of_y)
    chance = np.random.Generator(np.random.Philox(seed))
    shifts = chance.integers(n // 10, n - n // 10, turns)
    luck = np.array([np.subtract(*_information(x * count, np.roll(y, int(turn)), of_x, of_y)) for turn in shifts])
    return dict(raw=raw, bias=bias, information=raw - bias, luck=float(luck.mean()), p=_above(raw - bias, luck))


def _information(x: np.ndarray, y: np.ndarray, of_x: np.ndarray, of_y: np.ndarray) -> tuple[float, float]:
    """Raw mutual information and its bias; ``x`` is its bin times the number of bins."""
    n, count = len(x), len(of_x)
    pairs = np.bincount(x + y, minlength=count * count)
    raw = (_entropy_sum(of_x) + _entropy_sum(of_y)) * -1.0 + _entropy_sum(pairs)
    filled = [int((counts > 0).sum()) for counts in (pairs, of_x, of_y)]
    return raw / n + math.log(n), (filled[0] - filled[1] - filled[2] + 1) / (2 * n)


def _entropy_sum(counts: np.ndarray) -> float:
    filled = counts[counts > 0]
    return float(filled @ np.log(filled))


def _above(value: float, luck: np.ndarray) -> float:
    spread = luck.std(ddof=1) * math.sqrt(1 + 1 / len(luck))
    if not spread > ROUNDING * size_of(luck):
        return 1.0
    from scipy.stats import t as student

    return float(student.sf((value - luck.mean()) / spread, len(luck) - 1))


def benjamini_hochberg(p: np.ndarray, tried: int = 0) -> np.ndarray:
    """The false discovery rate at which each would just be kept: min over all at least as large of p · m ÷ rank, at most 1.

    m = the number of p-values, or ``tried`` where more were tried than are shown. NaN stays, and does not count.
    Source: Benjamini & Hochberg (1995).

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, np.nan])).round(6).tolist(), benjamini_hochberg(np.array([0.01]), tried=50).tolist()
    ([0.03, 0.04, 0.04, nan], [0.5])
    """
    p = np.asarray(p, float)
    rows = np.flatnonzero(np.isfinite(p))
    order = rows[np.argsort(p[rows], kind="stable")]
    q = np.full(len(p), np.nan)
    scaled = p[order] * max(len(order), tried) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q
