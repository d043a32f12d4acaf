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
    made = np.empty(values.shape[0])
    known, level, place, first, part = state[0], state[1], state[2], state[3], state[4]
    step = 2.0 / (window + 1.0)
    one = 1.0 - step
    two, three, four = one * one, one * one * one, one * one * one * one
    i = 0
    while i < values.shape[0]:
        if place == 0.0 and known == window:
            while i + 4 <= values.shape[0]:
                first, off = values[i], level - values[i]
                second = (values[i + 1] - first) * step
                third = second * one + (values[i + 2] - first) * step
                fourth = third * one + (values[i + 3] - first) * step
                last = (first + fourth) + off * four
                if np.isnan(last):
                    break
                made[i], made[i + 1], made[i + 2], made[i + 3] = first + off * one, (first + second) + off * two, (first + third) + off * three, last
                level, i = last, i + 4
            if i == values.shape[0]:
                break
        value = values[i]
        if np.isnan(value):
            made[i] = np.nan
        elif known < window:
            known += 1.0
            level += (value - level) / known
            made[i] = level if known == window else np.nan
        else:
            first = value if place == 0.0 else first
            part = part * one + (value - first) * step if place > 0.0 else 0.0
            place += 1.0
            made[i] = (first + part) + (level - first) * (one if place == 1.0 else two if place == 2.0 else three if place == 3.0 else four)
            if place == 4.0:
                level, place = made[i], 0.0
        i += 1
    state[0], state[1], state[2], state[3], state[4] = known, level, place, first, part
    return made


@entry
def crossed(close, fast, slow, signal, state):
    """A fast exponential average less a slow one, both begun with the mean of their last values where the longer has enough, and the exponential
    average of that. ``state``: closes known, the fast, the slow, differences known, their average."""
    made, smoothed = np.empty(close.shape[0]), np.empty(close.shape[0])
    known, quick, calm, made_known, level = state[0], state[1], state[2], state[3], state[4]
    longest = max(fast, slow)
    quick_step, calm_step, step = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0)
    for i in range(close.shape[0]):
        made[i], smoothed[i] = np.nan, np.nan
        if np.isnan(close[i]):
            continue
        if known >= longest:
            quick += (close[i] - quick) * quick_step
            calm += (close[i] - calm) * calm_step
        else:
            known += 1.0
            if known > longest - fast:
                quick += (close[i] - quick) / (known - (longest - fast))
            if known > longest - slow:
                calm += (close[i] - calm) / (known - (longest - slow))
            if known < longest:
                continue
        made[i] = quick - calm
        if made_known >= signal:
            level += (made[i] - level) * step
        else:
            made_known += 1.0
            level += (made[i] - level) / made_known
        if made_known >= signal:
            smoothed[i] = level
    state[0], state[1], state[2], state[3], state[4] = known, quick, calm, made_known, level
    return made, smoothed
