"""The highest and lowest of a sliding window, from spans that double in length; NaN where the window holds one."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry
from domain.features.kernels.windows import CHUNK
from domain.rounding import ROUNDING

PART = CHUNK // 4


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
def _extremes_into(one, window, high, total, spans, longer):
    """The highest or lowest of each ``window`` values of ``one``, one after another; ``spans`` and ``longer`` are buffers, as long as ``one``."""
    length = 1
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


@compiled
def _extremes(values, window, high):
    made = np.empty(values.shape[0])
    made[: window - 1] = np.nan
    spans, longer = np.empty(min(CHUNK, made.shape[0]) + window), np.empty(min(CHUNK, made.shape[0]) + window)
    for begin in range(window - 1, made.shape[0], CHUNK):
        total = made[begin : begin + CHUNK]
        _extremes_into(values[begin - window + 1 : begin + total.shape[0]], window, high, total, spans, longer)
    return made


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
    made = np.empty(close.shape[0])
    made[: window - 1] = np.nan
    size = min(PART, made.shape[0])
    top, spans, longer = np.empty(size), np.empty(size + window), np.empty(size + window)
    for begin in range(window - 1, made.shape[0], PART):
        to, last = made[begin : begin + PART], close[begin : begin + PART]
        first, end = begin - window + 1, begin + to.shape[0]
        _extremes_into(high[first:end], window, True, top[: to.shape[0]], spans, longer)
        _extremes_into(low[first:end], window, False, to, spans, longer)
        for i in range(to.shape[0]):
            width = top[i] - to[i]
            place = (last[i] - to[i]) / width
            to[i] = bottom + height * (flat if width <= ROUNDING * abs(top[i]) else place)
    return made
