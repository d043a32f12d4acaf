"""Averages that remember everything, a little less with each bar."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled


@compiled
def wilder(values, window):
    """Wilder's smoothing: the plain mean of the first ``window`` known values, then a step of 1 / ``window`` towards each that follows."""
    made = np.full(values.shape[0], np.nan)
    known, smoothed = 0, 0.0
    for i in range(values.shape[0]):
        if np.isnan(values[i]):
            continue
        known += 1
        if known <= window:
            smoothed += values[i]
            if known == window:
                smoothed /= window
        else:
            smoothed += (values[i] - smoothed) / window
        if known >= window:
            made[i] = smoothed
    return made
