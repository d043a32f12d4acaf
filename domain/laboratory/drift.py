"""Whether a feature's values of late are distributed as they were: PSI and Kolmogorov–Smirnov, with their history by month."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from domain.analytics.guards import size_of
from domain.laboratory.ranks import Ranked
from domain.rounding import ROUNDING

BINS = 10
SOME, STRONG = 0.1, 0.25        # PSI from which a drift is called so, as in credit scoring, where it comes from
LEAST = 50                      # values, on either side


def drift_of(feature: Ranked, reference: np.ndarray, recent: np.ndarray, months: np.ndarray) -> tuple[dict[str, float | str], pd.DataFrame]:
    """Recent rows against reference rows (two masks), and the same for each month (``months``: months since 1970 of each row) against the reference.

    First: ``reference, recent`` (numbers of values), ``psi, level, ks, p, p_effective``. ``psi`` = Σ (a − b) log(a ÷ b) over ten bins between the deciles of
    the reference, each share with half a value added so that none is 0; ``level``: none below 0.1, some below 0.25, else strong. ``ks``: the largest
    distance of both distribution functions; ``p`` counts every bar as an independent draw, which bars of slow features are not; ``p_effective`` counts
    n (1 − a) ÷ (1 + a) of them, a being the correlation of successive ranks. Second: ``month, count, psi, ks``; months of the reference
    are compared with a reference they are part of. NaN under 50 values. Both need the order of the values alone.

    Sources: Siddiqi (2006), Credit Risk Scorecards; Kolmogorov (1933), Smirnov (1939).
    """
    order = feature.order
    before, late = order[reference[order]], order[recent[order]]
    facts: dict[str, float | str] = dict(reference=len(before), recent=len(late), psi=np.nan, level="unknown", ks=np.nan, p=np.nan, p_effective=np.nan)
    scale = DriftReference(feature.level[before], int(feature.level.max(initial=-1)) + 1)
    by_month = order[np.argsort(months[order].astype(np.int16), kind="stable")]
    history = _by_month(feature.level[by_month], months[by_month], scale)
    if min(len(before), len(late)) >= LEAST:
        moved, distance = (float(values[0]) for values in (scale.psi(feature.level[late], np.array([0])), scale.distances(feature.level[late], np.array([0]))))
        effective = [effective_count(feature.level[feature.valid & rows].astype(float)) for rows in (reference, recent)]
        facts.update(psi=moved, level=level_of(moved), ks=distance, p=ks_p(distance, len(before), len(late)), p_effective=ks_p(distance, *effective))
    return facts, history


class DriftReference:
    """A reference with which other values are compared; values are given by the number of their level.

    ``before``: sorted levels of the reference; ``levels``: how many there are. A bin begins at each distinct decile of the reference.

    >>> scale = DriftReference(np.arange(100), 200)
    >>> scale.psi(np.arange(100), np.array([0])).round(9).tolist(), scale.distances(np.arange(50, 150), np.array([0])).tolist()
    ([0.0], [0.5])
    """

    def __init__(self, before: np.ndarray, levels: int) -> None:
        counts = np.bincount(before, minlength=levels)
        self.at_or_below = np.cumsum(counts) / max(len(before), 1)
        self.below = self.at_or_below - counts / max(len(before), 1)
        edges = np.unique(before[(len(before) * np.arange(1, BINS)) // BINS]) if len(before) else np.zeros(0, np.int64)
        self.bins = len(edges) + 1
        self.bin = np.searchsorted(edges, np.arange(levels), side="right")
        self.counts = np.bincount(self.bin[before], minlength=self.bins)

    def psi(self, levels: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Population stability index of each group of ``levels``, which begin at ``starts``."""
        group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(levels))))
        counts = np.bincount(group * self.bins + self.bin[levels], minlength=len(starts) * self.bins).reshape(-1, self.bins)
        a, b = ((number + 0.5) / (number.sum(axis=-1, keepdims=True) + 0.5 * self.bins) for number in (counts, self.counts))
        return ((a - b) * np.log(a / b)).sum(axis=-1)

    def distances(self, levels: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Largest distance of the distribution function of each group, sorted in itself, from that of the reference: it lies at a value of the group, or just before one."""
        size = np.diff(np.append(starts, len(levels)))
        place, share = np.arange(len(levels)) - np.repeat(starts, size), np.repeat(1.0 / size, size)
        above, under = (place + 1) * share - self.at_or_below[levels], self.below[levels] - place * share
        return np.maximum(np.maximum.reduceat(above, starts), np.maximum.reduceat(under, starts))


def level_of(moved: float) -> str:
    return "unknown" if not math.isfinite(moved) else "none" if moved < SOME else "some" if moved < STRONG else "strong"


def _by_month(levels: np.ndarray, months: np.ndarray, scale: DriftReference) -> pd.DataFrame:
    starts = np.flatnonzero(np.diff(months, prepend=-1)) if len(months) else np.zeros(0, np.int64)
    count = np.diff(np.append(starts, len(months)))
    measures = dict(psi=scale.psi(levels, starts), ks=scale.distances(levels, starts)) if len(starts) else dict(psi=np.zeros(0), ks=np.zeros(0))
    few = (count < LEAST) | (scale.counts.sum() < LEAST)
    return pd.DataFrame(dict(month=months[starts], count=count, **{name: np.where(few, np.nan, values) for name, values in measures.items()}))


def ks_p(distance: float, n: float, m: float) -> float:
    """Of so large a distance by luck, between independent samples of ``n`` and ``m``: scipy's asymptotic two-sided one."""
    from scipy.stats import kstwo

    return float(np.clip(kstwo.sf(distance, max(round(n * m / (n + m)), 1)), 0.0, 1.0))


def effective_count(values: np.ndarray) -> float:
    """The effective number of independent values of these successive ones: n (1 − a) ÷ (1 + a), a their first autocorrelation, not below 0.

    >>> effective_count(np.tile([0.0, 1.0], 50))
    100.0
    """
    apart = values - values.mean()
    total = float(apart @ apart)
    link = max(float(apart[1:] @ apart[:-1]) / total, 0.0) if total > len(values) * (ROUNDING * size_of(values)) ** 2 else 0.0
    return max(len(values) * (1 - link) / (1 + link), 2.0)
