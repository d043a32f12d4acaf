"""Means of several columns at each bar, of those that are known."""

from __future__ import annotations

import numpy as np

from domain.compiled import entry


@entry
def take_in(column, sign, total, count):
    """Add a column, with its sign, where it is known."""
    for i in range(column.shape[0]):
        valid = column[i] == column[i]
        total[i] += sign * column[i] if valid else 0.0
        count[i] += 1.0 if valid else 0.0


@entry
def over_counts(total, count):
    """The means; NaN where nothing was known."""
    means = np.empty(total.shape[0])
    for i in range(means.shape[0]):
        means[i] = total[i] / count[i] if count[i] > 0.0 else np.nan
    return means
