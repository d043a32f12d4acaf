"""The highest and lowest of a sliding window, from spans that double in length; NaN where the window holds one."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled
from domain.features.kernels.windows import CHUNK


@compiled
def _higher(first, second, made):
    for j in range(made.shape[0]):
        one, other = first[j], second[j]
        made[j] = one if (one > other) | (one != one) else other


@compiled
def _lower(first, second, made):
    for j in range(made.shape[0]):
        one, other = first[j], second[j]
        made[j] = one if (one < other) | (one != one) else other


@compiled
def _extremes(values, window, high):
    made = np.empty(values.shape[0])
    made[: window - 1] = np.nan
    spans, longer = np.empty(min(CHUNK, made.shape[0]) + window), np.empty(min(CHUNK, made.shape[0]) + window)
    for begin in range(window - 1, made.shape[0], CHUNK):
        total = made[begin : begin + CHUNK]
        one, length = values[begin - window + 1 : begin + total.shape[0]], 1
        if window == 1:
            total[:] = one
        while length < window:
            step = min(length, window - length)
            held = one.shape[0] - step
            to = longer[:held] if length + step < window else total
            if high:
                _higher(one[:held], one[step:], to)
            else:
                _lower(one[:held], one[step:], to)
            one, spans, longer, length = to, longer, spans, length + step
    return made


@compiled
def highest(values, window):
    """The highest of the last ``window`` values at each place."""
    return _extremes(values, window, True)


@compiled
def lowest(values, window):
    """The lowest of the last ``window`` values at each place."""
    return _extremes(values, window, False)


@compiled
def places(high, low, close, window, flat):
    """Where the close lies between the lowest low and the highest high of the last ``window`` bars, 0 to 1; ``flat`` where these are one."""
    top, made = _extremes(high, window, True), _extremes(low, window, False)
    for i in range(made.shape[0]):
        width = top[i] - made[i]
        place = (close[i] - made[i]) / width
        made[i] = place if width != 0.0 else flat
    return made
