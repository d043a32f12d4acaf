"""Where bars stand in stretches of time, and what prices did in them. Times come in order, so each walk goes on from the last."""

from __future__ import annotations

import numpy as np

from domain.compiled import entry

MINUTE, MONDAY = 60_000_000_000, 3 * 1440       # nanoseconds; minutes from Monday to the Thursday on which 1970 began
OPEN, HIGH, LOW, HIGH_BEFORE, LOW_BEFORE, CLOSE_BEFORE = 2, 3, 4, 5, 6, 7
PLACES = 8


@entry
def passed(times, instants):
    """How many of the instants lie at or before each time."""
    output = np.empty(times.shape[0], np.int64)
    row = np.searchsorted(instants, times[0], side="right") if times.shape[0] else 0
    for i in range(times.shape[0]):
        while row < instants.shape[0] and instants[row] <= times[i]:
            row += 1
        output[i] = row
    return output


@entry
def minutes(times, changes, offsets):
    """Minutes on a wall clock since a Monday's midnight in 1969, whole ones."""
    output = np.empty(times.shape[0], np.int64)
    row = np.searchsorted(changes, times[0], side="right") if times.shape[0] else 0
    for i in range(times.shape[0]):
        while row < changes.shape[0] and changes[row] <= times[i]:
            row += 1
        output[i] = (times[i] + offsets[row]) // MINUTE + MONDAY
    return output


@entry
def bars_since(times, opens, state):
    """Bars since the first one at or after the last open, NaN until an open is seen. ``state``: opens passed and one, bars since."""
    rows, before, since = passed(times, opens), state[0], state[1]
    counts = np.empty(times.shape[0])
    for i in range(times.shape[0]):
        row = rows[i]
        if before == 0:
            since = 0.0 if row > 0 and opens[row - 1] == times[i] else np.nan
        else:
            since = 0.0 if row + 1 != before else since + 1
        before, counts[i] = row + 1, since
    state[0], state[1] = before, since
    return counts


@entry
def levels(period, open, high, low, close, level, state):
    """Open, high or low of the period so far, or high, low or close of the one before it; bars with period −1 are in none.
    The first period counts from its first bar. ``state``: period and one, last close, and the levels by their numbers above."""
    output = np.empty(period.shape[0])
    now = state.copy()
    if now[0] == 0:
        now[1:] = np.nan
    for i in range(period.shape[0]):
        if period[i] >= 0:
            if period[i] + 1 != now[0]:
                now[HIGH_BEFORE], now[LOW_BEFORE], now[CLOSE_BEFORE] = now[HIGH], now[LOW], now[1]
                now[0], now[OPEN], now[HIGH], now[LOW] = period[i] + 1, open[i], high[i], low[i]
            else:
                now[HIGH], now[LOW] = max(now[HIGH], high[i]), min(now[LOW], low[i])
            now[1] = close[i]
        output[i] = now[level]
    state[:] = now
    return output


@entry
def weighted(period, price, volume, state):
    """Mean of the prices of a period so far, each with its volume's weight; a bar of unknown volume has none.
    ``state``: period and one, sum of price and volume, sum of volume."""
    output = np.empty(period.shape[0])
    now, money, total = state[0], state[1], state[2]
    for i in range(period.shape[0]):
        if period[i] + 1 != now:
            now, money, total = period[i] + 1, 0.0, 0.0
        if volume[i] > 0:
            money, total = money + price[i] * volume[i], total + volume[i]
        output[i] = money / total if total > 0 else np.nan
    state[0], state[1], state[2] = now, money, total
    return output
