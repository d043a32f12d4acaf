"""Distribution of the target in each quantile of a feature."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.laboratory.ranks import Ranked, bins

SHARES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def outcomes(feature: Ranked, target: np.ndarray, quantiles: int = 10, order: np.ndarray | None = None) -> pd.DataFrame:
    """``quantile, count, q05, q25, median, q75, q95`` of ``target`` in each quantile of the feature, 1 holding its lowest values: the same groups as
    ``by_quantile``. A figure is the value at that place of the sorted ones, the lower where it falls between two. An empty quantile has NaN.
    ``order``: the rows with a target, lowest first, where they are known.

    >>> from domain.laboratory.ranks import rank
    >>> rising = np.arange(8.0)
    >>> outcomes(rank(rising), rising, 2)["median"].tolist()
    [1.0, 5.0]
    """
    valid = np.isfinite(target)
    rows = np.flatnonzero(valid)[np.argsort(target[valid], kind="stable")] if order is None else order
    placed = bins(feature, valid, quantiles)[rows]
    rows, placed = rows[placed >= 0], placed[placed >= 0]
    by_bin = np.argsort(placed.astype(np.int16), kind="stable")
    sorted_target, size = target[rows[by_bin]], np.bincount(placed, minlength=quantiles)
    first = np.cumsum(size) - size
    columns = {name: np.full(quantiles, np.nan) for name in SHARES}
    for name, share in SHARES.items():
        at = first + (share * (size - 1)).clip(min=0).astype(np.int64)
        columns[name][size > 0] = sorted_target[at[size > 0]]
    return pd.DataFrame(dict(quantile=np.arange(1, quantiles + 1), count=size, **columns))
