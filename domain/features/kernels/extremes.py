"""The highest and lowest of a sliding window, from spans that double in length; NaN where the window holds one."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry
from domain.features.kernels.windows import CHUNK
from domain.rounding import ROUNDING

PART = CHUNK // 4


@compiled
def _higher(first, second, output):
    for j in range(output.shape[0]):
        value, other = first[j], second[j]
        output[j] = value if (value > other) | (value != value) else other


@compiled
def _lower(first, second, output):
    for j in range(output.shape[0]):
        value, other = first[j], second[j]
        output[j] = value if (value < other) | (value != value) else other


@compiled
def _extremes_into(values, window, high, total, spans, longer):
    """The highest or lowest of each ``window`` values of ``values``, one after another; ``spans`` and ``longer`` are buffers, as long as ``values``."""
    length = 1
    if window == 1:
        total[:] = values
    while length < window:
        step = min(length, window - length)
        count = values.shape[0] - step
        to = longer[:count] if length + step < window else total
        if high:
            _higher(values[:count], values[step:], to)
        else:
            _lower(values[:count], values[step:], to)
        values, spans, longer, length = to, longer, spans, length + step


@compiled
def _extremes(values, window, high):
    output = np.empty(values.shape[0])
    output[: window - 1] = np.nan
    spans, longer = np.empty(min(CHUNK, output.shape[0]) + window), np.empty(min(CHUNK, output.shape[0]) + window)
    for begin in range(window - 1, output.shape[0], CHUNK):
        total = output[begin : begin + CHUNK]
        _extremes_into(values[begin - window + 1 : begin + total.shape[0]], window, high, total, spans, longer)
    return output


@entry
def highest(values, window):
    """The highest of the last ``window`` values at each place."""
    return _extremes(values, window, True)


@entry
def lowest(values, window):
    """The lowest of the last ``window`` values at each place."""
    return _extremes(values, window, False)


@entry
def places(high, low, close, window, flat, bottom=0.0, height=1.0):
    """Where the close lies between the lowest low and the highest high of the last ``window`` bars, 0 to 1; ``flat`` where these
    are one. Given as ``bottom`` and so many of ``height`` above it."""
    output = np.empty(close.shape[0])
    output[: window - 1] = np.nan
    size = min(PART, output.shape[0])
    top, spans, longer = np.empty(size), np.empty(size + window), np.empty(size + window)
    for begin in range(window - 1, output.shape[0], PART):
        to, last = output[begin : begin + PART], close[begin : begin + PART]
        first, end = begin - window + 1, begin + to.shape[0]
        _extremes_into(high[first:end], window, True, top[: to.shape[0]], spans, longer)
        _extremes_into(low[first:end], window, False, to, spans, longer)
        for i in range(to.shape[0]):
            width = top[i] - to[i]
            place = (last[i] - to[i]) / width
            to[i] = bottom + height * (flat if width <= ROUNDING * abs(top[i]) else place)
    return output
