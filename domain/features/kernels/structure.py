"""What bars draw: swings, breaks of them, and gaps between three bars."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry

GAP = 4             # places of one gap: number of its bar, bottom, top, side
BEFORE_GAPS = 7     # bars seen, gaps open, bars kept, highs and lows of the last two


@compiled
def _is_swing(values, at, bars):
    k = 1
    while k <= bars and values[at - k] < values[at] and values[at + k] <= values[at]:
        k += 1
    return k > bars


@entry
def swings(values, bars, state):
    """Value of the last swing high that ``bars`` later bars have confirmed, and bars since it; of lows for the negative of lows.
    ``state``: values kept, last swing, bars since it, and the last 2 · ``bars`` values."""
    length, stored = values.shape[0], int(state[0])
    history = np.concatenate((state[3 : 3 + stored], values))
    swing, since = (state[1], state[2]) if stored else (np.nan, np.nan)
    levels, ago = np.empty(length), np.empty(length)
    for i in range(length):
        since += 1
        middle = stored + i - bars
        if middle >= bars and _is_swing(history, middle, bars):
            swing, since = history[middle], float(bars)
        levels[i], ago[i] = swing, since
    retained = min(stored + length, 2 * bars)
    state[0], state[1], state[2] = retained, swing, since
    state[3 : 3 + retained] = history[stored + length - retained :]
    return levels, ago


@entry
def breaks(close, upper, since_upper, lower, since_lower, bars, state):
    """1 where the close passes the last swing high for the first time, −1 the swing low, else 0; NaN until there are both.
    ``state``: whether it has begun, and the levels not yet passed."""
    output = np.empty(close.shape[0])
    up, down = (state[1], state[2]) if state[0] else (np.nan, np.nan)
    for i in range(close.shape[0]):
        if since_upper[i] == bars:
            up = upper[i]
        if since_lower[i] == bars:
            down = lower[i]
        output[i] = 0.0
        if close[i] > up:
            output[i], up = 1.0, np.nan
        elif close[i] < down:
            output[i], down = -1.0, np.nan
        if np.isnan(upper[i]) or np.isnan(lower[i]):
            output[i] = np.nan
    state[0], state[1], state[2] = 1.0, up, down
    return output


@entry
def gaps(high, low, window, state):
    """Signed size and middle of the latest gap of the last ``window`` bars that no bar after it has filled; 0 and NaN where there is none, NaN before three bars."""
    length, stored = high.shape[0], int(state[2])
    highs, lows = np.concatenate((state[3 : 3 + stored], high)), np.concatenate((state[5 : 5 + stored], low))
    number, count, open_gaps = state[0], int(state[1]), state[BEFORE_GAPS:].copy()
    sizes, middles = np.full(length, np.nan), np.full(length, np.nan)
    for i in range(length):
        at = stored + i
        number += 1
        count = _still_open(open_gaps, count, number - window, highs[at], lows[at])
        if at >= 2:
            if lows[at] > highs[at - 2]:
                count = _push(open_gaps, count, number, highs[at - 2], lows[at], 1.0)
            elif highs[at] < lows[at - 2]:
                count = _push(open_gaps, count, number, highs[at], lows[at - 2], -1.0)
            sizes[i] = 0.0
        if count:
            last = GAP * (count - 1)
            sizes[i] = open_gaps[last + 3] * (open_gaps[last + 2] - open_gaps[last + 1])
            middles[i] = (open_gaps[last + 1] + open_gaps[last + 2]) / 2
    retained = min(stored + length, 2)
    state[0], state[1], state[2] = number, count, retained
    state[3 : 3 + retained], state[5 : 5 + retained] = highs[stored + length - retained :], lows[stored + length - retained :]
    state[BEFORE_GAPS:] = open_gaps
    return sizes, middles


@compiled
def _still_open(open_gaps, count, gone, high, low):
    """Gaps that are too old or that this bar fills are taken out; the others keep their order."""
    remaining = 0
    for k in range(count):
        at = GAP * k
        filled = low <= open_gaps[at + 1] if open_gaps[at + 3] > 0 else high >= open_gaps[at + 2]
        if open_gaps[at] > gone and not filled:
            if remaining != k:
                open_gaps[GAP * remaining : GAP * remaining + GAP] = open_gaps[at : at + GAP]
            remaining += 1
    return remaining


@compiled
def _push(open_gaps, count, number, bottom, top, side):
    at = GAP * count
    open_gaps[at], open_gaps[at + 1], open_gaps[at + 2], open_gaps[at + 3] = number, bottom, top, side
    return count + 1
