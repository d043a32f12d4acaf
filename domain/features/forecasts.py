"""Forecasts of a model beside the bars: columns like others, at the bars that they were made at and at no other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from domain.features.base import Column, feature
from domain.outside.timed_values import TimedValues


@feature(unit="log return", source="the model's, or the file's")
def forecast(end: np.ndarray, forecasts: Mapping[str, TimedValues], *, name: str = "q50") -> Column:
    """What was forecast at the close of this bar: q05 … q95 are quantiles of the log return over the horizon.
    NaN at a bar that has none: a forecast is not carried on to later bars.

    >>> forecast(np.array([10, 20, 30]), {"q50": TimedValues(np.array([10, 30]), np.array([0.5, -0.5]))}).tolist()
    [0.5, nan, -0.5]
    """
    known = forecasts.get(name)
    if known is None or not len(known.times):
        return np.full(len(end), np.nan)
    row = np.minimum(np.searchsorted(known.times, end), len(known.times) - 1)
    return np.where(known.times[row] == end, known.values[row], np.nan)
