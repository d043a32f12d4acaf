"""Averages in Wilder's smoothing: each value moves them by the same share of the way, and they remember everything, a little less with each bar.
Each leaves where it stands in ``state``, all zeros before the first bar, and goes on from there; a bar that is unknown is passed over."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry
from domain.features.kernels.ranges import true_range
from domain.rounding import ROUNDING

# Four steps at a time: see smoothing.py.


@compiled
def _four(level, first, second, third, fourth, step):
    """Wilder's average after each of four values."""
    one = 1.0 - step
    two, three, four = one * one, one * one * one, one * one * one * one
    parts = first * step
    made_first, parts = level * one + parts, parts * one + second * step
    made_second, parts = level * two + parts, parts * one + third * step
    made_third, parts = level * three + parts, parts * one + fourth * step
    return made_first, made_second, made_third, level * four + parts


@compiled
def _one(value, window, known, level, place, part):
    """Wilder's average after one more value, NaN where there is none; and where it stands then."""
    step = 1.0 / window
    one = 1.0 - step
    if np.isnan(value):
        return np.nan, known, level, place, part
    if known < window:
        known += 1.0
        level += (value - level) / known
        return level if known == window else np.nan, known, level, place, part
    part = part * one + value * step if place > 0.0 else value * step
    place += 1.0
    left = one if place == 1.0 else one * one if place == 2.0 else one * one * one if place == 3.0 else one * one * one * one
    made = level * left + part
    return (made, known, made, 0.0, part) if place == 4.0 else (made, known, level, place, part)


@entry
def wilder_from(values, window, state):
    """Wilder's smoothing: the plain mean of the first ``window`` known values, then a step of 1 / ``window`` towards each that follows.
    ``state``: values known up to ``window``, the average, its place, and what the values of the four add."""
    made = np.empty(values.shape[0])
    known, level, place, part = state[0], state[1], state[2], state[3]
    step, i = 1.0 / window, 0
    while i < values.shape[0]:
        while place == 0.0 and known == window and i + 4 <= values.shape[0]:
            first, second, third, last = _four(level, values[i], values[i + 1], values[i + 2], values[i + 3], step)
            if np.isnan(last):
                break
            made[i], made[i + 1], made[i + 2], made[i + 3] = first, second, third, last
            level, i = last, i + 4
        if i < values.shape[0]:
            made[i], known, level, place, part = _one(values[i], window, known, level, place, part)
            i += 1
    state[0], state[1], state[2], state[3] = known, level, place, part
    return made


@entry
def wilder(values, window):
    """The same from the first value on."""
    return wilder_from(values, window, np.zeros(4))


@entry
def smoothed_ranges(high, low, close, window, state):
    """Wilder's smoothing of the true ranges of bars. ``state``: as of ``wilder_from``, whether there was a bar before, and its close."""
    made = np.empty(close.shape[0])
    known, level, place, part, seen, last_close = state[0], state[1], state[2], state[3], state[4], state[5]
    step, i = 1.0 / window, 0
    while i < close.shape[0]:
        while place == 0.0 and known == window and i + 4 <= close.shape[0]:
            first, second = true_range(high[i], low[i], last_close), true_range(high[i + 1], low[i + 1], close[i])
            third, fourth = true_range(high[i + 2], low[i + 2], close[i + 1]), true_range(high[i + 3], low[i + 3], close[i + 2])
            first, second, third, last = _four(level, first, second, third, fourth, step)
            if np.isnan(last):
                break
            made[i], made[i + 1], made[i + 2], made[i + 3] = first, second, third, last
            level, last_close, i = last, close[i + 3], i + 4
        if i < close.shape[0]:
            value = true_range(high[i], low[i], last_close) if seen != 0.0 else np.nan
            made[i], known, level, place, part = _one(value, window, known, level, place, part)
            seen, last_close, i = 1.0, close[i], i + 1
    state[0], state[1], state[2], state[3], state[4], state[5] = known, level, place, part, seen, last_close
    return made


@entry
def relative_strength(close, window, state):
    """Wilder's average gain over average gain and loss, 0 to 100; 50 where there is neither.
    ``state``: closes known up to ``window`` + 1, average gain, average loss, last close."""
    made = np.empty(close.shape[0])
    known, gain, loss, last = state[0], state[1], state[2], state[3]
    step = 1.0 / window
    kept = 1.0 - step
    for i in range(close.shape[0]):
        made[i] = np.nan
        if np.isnan(close[i]):
            continue
        change, last = close[i] - last, close[i]
        up, down = max(change, 0.0), max(-change, 0.0)
        if known > window:
            gain, loss = gain * kept + up * step, loss * kept + down * step
        else:
            known += 1.0
            if known == 1.0:
                continue
            gain, loss = gain + (up - gain) / (known - 1.0), loss + (down - loss) / (known - 1.0)
        if known > window:
            made[i] = 100.0 * gain / (gain + loss) if gain + loss > ROUNDING * abs(close[i]) else 50.0
    state[0], state[1], state[2], state[3] = known, gain, loss, last
    return made


@entry
def directional(high, low, close, window, which, state):
    """Wilder's directional movement: the part of the range in which the high rose (``which`` 1), in which the low fell (−1), or how much one
    outweighs the other, smoothed (0); 0 to 100. Sums begin with ``window`` − 1 moves, as TA-Lib's do.
    ``state``: bars known, sums of rise, fall and range, average, last high, low and close."""
    made = np.empty(close.shape[0])
    known, rises, falls, ranges, average, last_high, last_low, last_close = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    kept, step = 1.0 - 1.0 / window, 1.0 / window
    for i in range(close.shape[0]):
        made[i] = np.nan
        if np.isnan(high[i]) or np.isnan(low[i]) or np.isnan(close[i]):
            continue
        up, down = high[i] - last_high, last_low - low[i]
        spread = max(high[i], last_close) - min(low[i], last_close)
        last_high, last_low, last_close = high[i], low[i], close[i]
        known += 1.0
        if known == 1.0:
            continue
        share = kept if known > window else 1.0
        rises = rises * share + (up if up > down and up > 0.0 else 0.0)
        falls = falls * share + (down if down > up and down > 0.0 else 0.0)
        ranges = ranges * share + spread
        if known <= window:
            continue
        if which != 0:
            made[i] = 100.0 * (rises if which > 0 else falls) / ranges if ranges > ROUNDING * abs(close[i]) else 0.0
            continue
        strength = 100.0 * abs(rises - falls) / (rises + falls) if rises + falls > ROUNDING * abs(close[i]) else 0.0
        if known <= 2 * window:
            average += (strength - average) / (known - window)
        else:
            average = average * kept + strength * step
        if known >= 2 * window:
            made[i] = average
    state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7] = known, rises, falls, ranges, average, last_high, last_low, last_close
    return made
