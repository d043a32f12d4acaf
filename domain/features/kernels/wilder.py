"""Averages in Wilder's smoothing: each value moves them by the same share of the way, and they remember everything, a little less with each bar.
Each leaves where it stands in ``state``, all zeros before the first bar, and goes on from there; a bar that is unknown is passed over."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry
from domain.features.kernels.ranges import true_range
from domain.rounding import ROUNDING

# Four steps at a time: see smoothing.py.


@compiled
def _four_steps(level, first, second, third, fourth, step):
    """Wilder's average after each of four values."""
    decay = 1.0 - step
    decay_2, decay_3, decay_4 = decay * decay, decay * decay * decay, decay * decay * decay * decay
    parts = first * step
    average_1, parts = level * decay + parts, parts * decay + second * step
    average_2, parts = level * decay_2 + parts, parts * decay + third * step
    average_3, parts = level * decay_3 + parts, parts * decay + fourth * step
    return average_1, average_2, average_3, level * decay_4 + parts


@compiled
def _step(value, window, count, level, place, part):
    """Wilder's average after one more value, NaN where there is none; and where it stands then."""
    step = 1.0 / window
    decay = 1.0 - step
    if np.isnan(value):
        return np.nan, count, level, place, part
    if count < window:
        count += 1.0
        level += (value - level) / count
        return level if count == window else np.nan, count, level, place, part
    part = part * decay + value * step if place > 0.0 else value * step
    place += 1.0
    remaining = decay if place == 1.0 else decay * decay if place == 2.0 else decay * decay * decay if place == 3.0 else decay * decay * decay * decay
    average = level * remaining + part
    return (average, count, average, 0.0, part) if place == 4.0 else (average, count, level, place, part)


@entry
def wilder_from(values, window, state):
    """Wilder's smoothing: the plain mean of the first ``window`` known values, then a step of 1 / ``window`` towards each that follows.
    ``state``: values known up to ``window``, the average, its place, and what the values of the four add."""
    output = np.empty(values.shape[0])
    count, level, place, part = state[0], state[1], state[2], state[3]
    step, i = 1.0 / window, 0
    while i < values.shape[0]:
        while place == 0.0 and count == window and i + 4 <= values.shape[0]:
            first, second, third, last = _four_steps(level, values[i], values[i + 1], values[i + 2], values[i + 3], step)
            if np.isnan(last):
                break
            output[i], output[i + 1], output[i + 2], output[i + 3] = first, second, third, last
            level, i = last, i + 4
        if i < values.shape[0]:
            output[i], count, level, place, part = _step(values[i], window, count, level, place, part)
            i += 1
    state[0], state[1], state[2], state[3] = count, level, place, part
    return output


@entry
def wilder(values, window):
    """The same from the first value on."""
    return wilder_from(values, window, np.zeros(4))


@entry
def smoothed_ranges(high, low, close, window, state):
    """Wilder's smoothing of the true ranges of bars. ``state``: as of ``wilder_from``, whether there was a bar before, and its close."""
    output = np.empty(close.shape[0])
    count, level, place, part, started, last_close = state[0], state[1], state[2], state[3], state[4], state[5]
    step, i = 1.0 / window, 0
    while i < close.shape[0]:
        while place == 0.0 and count == window and i + 4 <= close.shape[0]:
            first, second = true_range(high[i], low[i], last_close), true_range(high[i + 1], low[i + 1], close[i])
            third, fourth = true_range(high[i + 2], low[i + 2], close[i + 1]), true_range(high[i + 3], low[i + 3], close[i + 2])
            first, second, third, last = _four_steps(level, first, second, third, fourth, step)
            if np.isnan(last):
                break
            output[i], output[i + 1], output[i + 2], output[i + 3] = first, second, third, last
            level, last_close, i = last, close[i + 3], i + 4
        if i < close.shape[0]:
            value = true_range(high[i], low[i], last_close) if started != 0.0 else np.nan
            output[i], count, level, place, part = _step(value, window, count, level, place, part)
            started, last_close, i = 1.0, close[i], i + 1
    state[0], state[1], state[2], state[3], state[4], state[5] = count, level, place, part, started, last_close
    return output


@entry
def relative_strength(close, window, state):
    """Wilder's average gain over average gain and loss, 0 to 100; 50 where there is neither.
    ``state``: closes known up to ``window`` + 1, average gain, average loss, last close."""
    output = np.empty(close.shape[0])
    count, gain, loss, last = state[0], state[1], state[2], state[3]
    step = 1.0 / window
    decay = 1.0 - step
    for i in range(close.shape[0]):
        output[i] = np.nan
        if np.isnan(close[i]):
            continue
        change, last = close[i] - last, close[i]
        up, down = max(change, 0.0), max(-change, 0.0)
        if count > window:
            gain, loss = gain * decay + up * step, loss * decay + down * step
        else:
            count += 1.0
            if count == 1.0:
                continue
            gain, loss = gain + (up - gain) / (count - 1.0), loss + (down - loss) / (count - 1.0)
        if count > window:
            output[i] = 100.0 * gain / (gain + loss) if gain + loss > ROUNDING * abs(close[i]) else 50.0
    state[0], state[1], state[2], state[3] = count, gain, loss, last
    return output


@entry
def directional(high, low, close, window, side, state):
    """Wilder's directional movement: the part of the range in which the high rose (``side`` 1), in which the low fell (−1), or how much one
    outweighs the other, smoothed (0); 0 to 100. Sums begin with ``window`` − 1 moves, as TA-Lib's do.
    ``state``: bars known, sums of rise, fall and range, average, last high, low and close."""
    output = np.empty(close.shape[0])
    count, rises, falls, ranges, average, last_high, last_low, last_close = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    decay, step = 1.0 - 1.0 / window, 1.0 / window
    for i in range(close.shape[0]):
        output[i] = np.nan
        if np.isnan(high[i]) or np.isnan(low[i]) or np.isnan(close[i]):
            continue
        up, down = high[i] - last_high, last_low - low[i]
        spread = max(high[i], last_close) - min(low[i], last_close)
        last_high, last_low, last_close = high[i], low[i], close[i]
        count += 1.0
        if count == 1.0:
            continue
        share = decay if count > window else 1.0
        rises = rises * share + (up if up > down and up > 0.0 else 0.0)
        falls = falls * share + (down if down > up and down > 0.0 else 0.0)
        ranges = ranges * share + spread
        if count <= window:
            continue
        if side != 0:
            output[i] = 100.0 * (rises if side > 0 else falls) / ranges if ranges > ROUNDING * abs(close[i]) else 0.0
            continue
        strength = 100.0 * abs(rises - falls) / (rises + falls) if rises + falls > ROUNDING * abs(close[i]) else 0.0
        if count <= 2 * window:
            average += (strength - average) / (count - window)
        else:
            average = average * decay + strength * step
        if count >= 2 * window:
            output[i] = average
    state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7] = count, rises, falls, ranges, average, last_high, last_low, last_close
    return output
