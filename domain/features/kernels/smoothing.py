"""Averages that remember everything, a little less with each bar. Each leaves where it stands in ``state``, all zeros before the first bar, and
goes on from there; a bar that is unknown is passed over."""

from __future__ import annotations

import numpy as np

from domain.compiled import entry

# Four steps of an average at a time, each from where the first began: so a bar waits for a fourth of what it would wait for, were each to begin
# where the one before it ended. ``place`` tells how many of the four have been made. A run of bars without a gap takes the short way through;
# bar by bar, or beside a gap, the same sums are made in the same order.


@entry
def averages(values, window, state):
    """Exponential average with steps of 2 / (``window`` + 1), begun with the plain mean of the first ``window`` known values. Equal values have
    exactly their value as average. ``state``: values known up to ``window``, the average, its place, the first value of the four, and what they
    add, less that."""
    output = np.empty(values.shape[0])
    count, level, place, first, part = state[0], state[1], state[2], state[3], state[4]
    step = 2.0 / (window + 1.0)
    decay = 1.0 - step
    decay_2, decay_3, decay_4 = decay * decay, decay * decay * decay, decay * decay * decay * decay
    i = 0
    while i < values.shape[0]:
        if place == 0.0 and count == window:
            while i + 4 <= values.shape[0]:
                first, off = values[i], level - values[i]
                second = (values[i + 1] - first) * step
                third = second * decay + (values[i + 2] - first) * step
                fourth = third * decay + (values[i + 3] - first) * step
                last = (first + fourth) + off * decay_4
                if np.isnan(last):
                    break
                output[i], output[i + 1], output[i + 2], output[i + 3] = first + off * decay, (first + second) + off * decay_2, (first + third) + off * decay_3, last
                level, i = last, i + 4
            if i == values.shape[0]:
                break
        value = values[i]
        if np.isnan(value):
            output[i] = np.nan
        elif count < window:
            count += 1.0
            level += (value - level) / count
            output[i] = level if count == window else np.nan
        else:
            first = value if place == 0.0 else first
            part = part * decay + (value - first) * step if place > 0.0 else 0.0
            place += 1.0
            output[i] = (first + part) + (level - first) * (decay if place == 1.0 else decay_2 if place == 2.0 else decay_3 if place == 3.0 else decay_4)
            if place == 4.0:
                level, place = output[i], 0.0
        i += 1
    state[0], state[1], state[2], state[3], state[4] = count, level, place, first, part
    return output


@entry
def crossed(close, fast, slow, signal, state):
    """A fast exponential average less a slow one, both begun with the mean of their last values where the longer has enough, and the exponential
    average of that. ``state``: closes known, the fast, the slow, differences known, their average."""
    line, smoothed = np.empty(close.shape[0]), np.empty(close.shape[0])
    count, quick, calm, line_count, level = state[0], state[1], state[2], state[3], state[4]
    longest = max(fast, slow)
    quick_step, calm_step, step = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0)
    for i in range(close.shape[0]):
        line[i], smoothed[i] = np.nan, np.nan
        if np.isnan(close[i]):
            continue
        if count >= longest:
            quick += (close[i] - quick) * quick_step
            calm += (close[i] - calm) * calm_step
        else:
            count += 1.0
            if count > longest - fast:
                quick += (close[i] - quick) / (count - (longest - fast))
            if count > longest - slow:
                calm += (close[i] - calm) / (count - (longest - slow))
            if count < longest:
                continue
        line[i] = quick - calm
        if line_count >= signal:
            level += (line[i] - level) * step
        else:
            line_count += 1.0
            level += (line[i] - level) / line_count
        if line_count >= signal:
            smoothed[i] = level
    state[0], state[1], state[2], state[3], state[4] = count, quick, calm, line_count, level
    return line, smoothed
