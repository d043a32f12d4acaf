"""Whether what was forecast to happen in p % of the cases happens in p % of them; and whether intervals hold what they promise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

BINS = 10
Z95 = 1.959963984540054


def calibration_table(y: np.ndarray, p: np.ndarray, bins: int = BINS) -> list[dict[str, Any]]:
    """Rows ``low, high, count, predicted, observed, observed_low, observed_high``: samples by p in ``bins`` of about equal count, equal p in the same one.

    ``predicted``: mean p; ``observed``: share of 1, with its 95 % interval after Wilson (1927), of independent samples.

    >>> [(row["count"], row["predicted"], row["observed"]) for row in calibration_table(np.array([0.0, 1.0, 1.0, 1.0]), np.array([0.2, 0.2, 0.9, 0.9]), 2)]
    [(2, 0.2, 0.5), (2, 0.9, 1.0)]
    """
    rows = []
    for members in _binned(p, bins):
        inside, share = p[members], float((y[members] > 0.5).mean())
        low, high = wilson(share, len(inside))
        rows.append(dict(low=float(inside.min()), high=float(inside.max()), count=len(inside), predicted=float(inside.mean()), observed=share, observed_low=low, observed_high=high))
    return rows


def calibration_error(y: np.ndarray, p: np.ndarray, bins: int = BINS) -> float:
    """Mean over samples of |predicted − observed| of the bin of each."""
    return sum(len(members) * abs(float(p[members].mean() - y[members].mean())) for members in _binned(p, bins)) / max(len(p), 1)


def wilson(share: float, count: int, z: float = Z95) -> tuple[float, float]:
    """Interval of a share of ``count`` independent draws.

    >>> tuple(round(bound, 4) for bound in wilson(0.5, 10))
    (0.2366, 0.7634)
    """
    middle, spread = share + z * z / (2 * count), z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max((middle - spread) / (1 + z * z / count), 0.0), min((middle + spread) / (1 + z * z / count), 1.0)


def level_table(y: np.ndarray, quantiles: np.ndarray, levels: tuple[float, ...]) -> list[dict[str, Any]]:
    """Rows ``level, count, observed, observed_low, observed_high``: the share of labels at or below each quantile, which should be its level."""
    rows = []
    for place, level in enumerate(levels):
        share = float((y <= quantiles[:, place]).mean())
        low, high = wilson(share, len(y))
        rows.append(dict(level=level, count=len(y), observed=share, observed_low=low, observed_high=high))
    return rows


def pair_table(y: np.ndarray, quantiles: np.ndarray, levels: tuple[float, ...], pairs: tuple[tuple[int, int], ...]) -> list[dict[str, Any]]:
    """Rows ``low, high, nominal, count, coverage, coverage_low, coverage_high, below, above, width``, a row a pair of levels τ and 1 − τ."""
    rows = []
    for low, high in pairs:
        below, above = y < quantiles[:, low], y > quantiles[:, high]
        share = float((~below & ~above).mean())
        ends = wilson(share, len(y))
        rows.append(dict(
            low=levels[low], high=levels[high], nominal=levels[high] - levels[low], count=len(y), coverage=share, coverage_low=ends[0], coverage_high=ends[1],
            below=float(below.mean()), above=float(above.mean()), width=float((quantiles[:, high] - quantiles[:, low]).mean()),
        ))  # fmt: skip
    return rows


def _binned(p: np.ndarray, bins: int) -> list[np.ndarray]:
    """Rows of each bin that is not empty, by rising p."""
    placed = np.minimum(((pd.Series(p).rank(method="average").to_numpy() - 0.5) * bins / max(len(p), 1)).astype(np.int64), bins - 1)
    return [np.flatnonzero(placed == number) for number in np.unique(placed)]
