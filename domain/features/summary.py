"""Summary of a column: coverage, distribution of its values, and the latest one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.features.base import FEATURES, Use
from domain.features.context import Context
from domain.features.engine import warm_up_of

QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Summary:
    """``coverage``: share of the bars that have a value. ``first``: the row of the first of them, None for none. Figures are NaN where there is no value."""

    column: str
    unit: str
    family: str
    warm_up: int
    coverage: float
    first: int | None
    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float
    last: float


def summary(use: Use, values: np.ndarray, context: Context = Context()) -> Summary:
    """
    >>> from domain.features import use
    >>> summary(use("sma", window=2), np.array([np.nan, 1.0, 2.0, 4.0])).median
    2.0
    """
    spec, rows = FEATURES[use.name], np.flatnonzero(~np.isnan(values))
    low, quarter, median, upper, high = map(float, np.quantile(values[rows], QUARTERS) if len(rows) else np.full(len(QUARTERS), np.nan))
    coverage, last = len(rows) / max(len(values), 1), float(values[-1]) if len(values) else float("nan")
    return Summary(use.column, spec.unit, spec.family, warm_up_of(use, context), coverage, int(rows[0]) if len(rows) else None, low, quarter, median, upper, high, last)
