"""Sums over a sliding window, begun anew every window's length so that errors do not grow; NaN where the window holds one."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled


@compiled
def means(values, window):
    """Mean of the last ``window`` values at each place."""
    made = np.full(values.shape[0], np.nan)
    total, unknown = 0.0, 0
    for i in range(values.shape[0]):
        if i % window == 0:
            total, unknown = 0.0, 0
            for k in range(max(i - window + 1, 0), i + 1):
                total, unknown = (total, unknown + 1) if np.isnan(values[k]) else (total + values[k], unknown)
        else:
            total, unknown = (total, unknown + 1) if np.isnan(values[i]) else (total + values[i], unknown)
            if i >= window:
                total, unknown = (total, unknown - 1) if np.isnan(values[i - window]) else (total - values[i - window], unknown)
        if i >= window - 1 and unknown == 0:
            made[i] = total / window
    return made


@compiled
def deviations(values, window, degrees):
    """Standard deviation of the last ``window`` values at each place, over ``window`` less ``degrees``; sums are of what they lie off the
    window's first value when they are begun anew, so that nothing cancels."""
    made = np.full(values.shape[0], np.nan)
    total, squares, unknown, centre = 0.0, 0.0, 0, 0.0
    for i in range(values.shape[0]):
        first = max(i - window + 1, 0)
        if i % window == 0:
            total, squares, unknown, centre = 0.0, 0.0, 0, np.nan
            for k in range(first, i + 1):
                if np.isnan(values[k]):
                    unknown += 1
                    continue
                if np.isnan(centre):
                    centre = values[k]
                total += values[k] - centre
                squares += (values[k] - centre) ** 2
        else:
            if np.isnan(values[i]):
                unknown += 1
            else:
                if np.isnan(centre):
                    centre = values[i]
                total += values[i] - centre
                squares += (values[i] - centre) ** 2
            if i >= window:
                if np.isnan(values[i - window]):
                    unknown -= 1
                else:
                    total -= values[i - window] - centre
                    squares -= (values[i - window] - centre) ** 2
        if i >= window - 1 and unknown == 0 and window > degrees:
            made[i] = np.sqrt(max(squares - total * total / window, 0.0) / (window - degrees))
    return made
