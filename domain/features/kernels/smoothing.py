"""Averages that remember everything, a little less with each bar. Each leaves where it stands in ``state``, all zeros before the first bar, and
goes on from there; a bar that is unknown is passed over."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled

# Two steps of an average at a time: the second from where the first began, so that a bar does not wait for all that the bar before it needs.


@compiled
def averages(values, window, state):
    """Exponential average with steps of 2 / (``window`` + 1), begun with the plain mean of the first ``window`` known values. Equal values have
    exactly their value as average. ``state``: values known up to ``window``, the average, whether a step is pending, and how far it went off."""
    made = np.empty(values.shape[0])
    known, level, pending, off = state[0], state[1], state[2] != 0.0, state[3]
    step = 2.0 / (window + 1.0)
    faded = step * (1.0 - step)
    for i in range(values.shape[0]):
        value = values[i]
        if np.isnan(value):
            made[i] = np.nan
        elif known < window:
            known += 1.0
            level += (value - level) / known
            made[i] = level if known == window else np.nan
        elif pending:
            level += off * faded + (value - level) * step
            made[i], pending = level, False
        else:
            off = value - level
            made[i], pending = level + off * step, True
    state[0], state[1], state[2], state[3] = known, level, 1.0 if pending else 0.0, off
    return made


@compiled
def wilder_from(values, window, state):
    """Wilder's smoothing: the plain mean of the first ``window`` known values, then a step of 1 / ``window`` towards each that follows.
    ``state``: values known up to ``window``, the average, whether a step is pending, and the share of its value in it."""
    made = np.empty(values.shape[0])
    known, level, pending, part = state[0], state[1], state[2] != 0.0, state[3]
    step = 1.0 / window
    kept = 1.0 - step
    for i in range(values.shape[0]):
        value = values[i]
        if np.isnan(value):
            made[i] = np.nan
        elif known < window:
            known += 1.0
            level += (value - level) / known
            made[i] = level if known == window else np.nan
        elif pending:
            level = level * (kept * kept) + (part * kept + value * step)
            made[i], pending = level, False
        else:
            part = value * step
            made[i], pending = level * kept + part, True
    state[0], state[1], state[2], state[3] = known, level, 1.0 if pending else 0.0, part
    return made


@compiled
def wilder(values, window):
    """The same from the first value on."""
    return wilder_from(values, window, np.zeros(4))


@compiled
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
            made[i] = 100.0 * gain / (gain + loss) if gain + loss > 0.0 else 50.0
    state[0], state[1], state[2], state[3] = known, gain, loss, last
    return made


@compiled
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


@compiled
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
            made[i] = 100.0 * (rises if which > 0 else falls) / ranges if ranges > 0.0 else 0.0
            continue
        strength = 100.0 * abs(rises - falls) / (rises + falls) if rises + falls > 0.0 else 0.0
        if known <= 2 * window:
            average += (strength - average) / (known - window)
        else:
            average = average * kept + strength * step
        if known >= 2 * window:
            made[i] = average
    state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7] = known, rises, falls, ranges, average, last_high, last_low, last_close
    return made


@compiled
def adapted(close, straight, window, fast, slow, state):
    """Kaufman's average: steps between those of a slow and a fast exponential average, by how ``straight`` the last ``window`` moves were.
    ``state``: closes known up to ``window``, the average."""
    made = np.empty(close.shape[0])
    known, level = state[0], state[1]
    least, most = 2.0 / (slow + 1.0), 2.0 / (fast + 1.0)
    for i in range(close.shape[0]):
        made[i] = (straight[i] * (most - least) + least) ** 2
    for i in range(close.shape[0]):
        if known < window:
            known, level, made[i] = known + 1.0, close[i], np.nan
        elif not np.isnan(made[i]):
            level += (close[i] - level) * made[i]
            made[i] = level
    state[0], state[1] = known, level
    return made
