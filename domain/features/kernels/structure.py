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
    length, kept = values.shape[0], int(state[0])
    seen = np.concatenate((state[3 : 3 + kept], values))
    swing, since = (state[1], state[2]) if kept else (np.nan, np.nan)
    found, ago = np.empty(length), np.empty(length)
    for i in range(length):
        since += 1
        middle = kept + i - bars
        if middle >= bars and _is_swing(seen, middle, bars):
            swing, since = seen[middle], float(bars)
        found[i], ago[i] = swing, since
    keep = min(kept + length, 2 * bars)
    state[0], state[1], state[2] = keep, swing, since
    state[3 : 3 + keep] = seen[kept + length - keep :]
    return found, ago


@entry
def breaks(close, upper, since_upper, lower, since_lower, bars, state):
    """1 where the close passes the last swing high for the first time, −1 the swing low, else 0; NaN until there are both.
    ``state``: whether it has begun, and the levels not yet passed."""
    made = np.empty(close.shape[0])
    up, down = (state[1], state[2]) if state[0] else (np.nan, np.nan)
    for i in range(close.shape[0]):
        if since_upper[i] == bars:
            up = upper[i]
        if since_lower[i] == bars:
            down = lower[i]
        made[i] = 0.0
        if close[i] > up:
            made[i], up = 1.0, np.nan
        elif close[i] < down:
            made[i], down = -1.0, np.nan
        if np.isnan(upper[i]) or np.isnan(lower[i]):
            made[i] = np.nan
    state[0], state[1], state[2] = 1.0, up, down
    return made


@entry
def gaps(high, low, window, state):
    """Signed size and middle of the latest gap of the last ``window`` bars that no bar after it has filled; 0 and NaN where there is none, NaN before three bars."""
    length, kept = high.shape[0], int(state[2])
    highs, lows = np.concatenate((state[3 : 3 + kept], high)), np.concatenate((state[5 : 5 + kept], low))
    number, count, held = state[0], int(state[1]), state[BEFORE_GAPS:].copy()
    sizes, middles = np.full(length, np.nan), np.full(length, np.nan)
    for i in range(length):
        at = kept + i
        number += 1
        count = _still_open(held, count, number - window, highs[at], lows[at])
        if at >= 2:
            if lows[at] > highs[at - 2]:
                count = _push(held, count, number, highs[at - 2], lows[at], 1.0)
            elif highs[at] < lows[at - 2]:
                count = _push(held, count, number, highs[at], lows[at - 2], -1.0)
            sizes[i] = 0.0
        if count:
            last = GAP * (count - 1)
            sizes[i] = held[last + 3] * (held[last + 2] - held[last + 1])
            middles[i] = (held[last + 1] + held[last + 2]) / 2
    keep = min(kept + length, 2)
    state[0], state[1], state[2] = number, count, keep
    state[3 : 3 + keep], state[5 : 5 + keep] = highs[kept + length - keep :], lows[kept + length - keep :]
    state[BEFORE_GAPS:] = held
    return sizes, middles


@compiled
def _still_open(held, count, gone, high, low):
    """Gaps that are too old or that this bar fills are taken out; the others keep their order."""
    left = 0
    for k in range(count):
        at = GAP * k
        filled = low <= held[at + 1] if held[at + 3] > 0 else high >= held[at + 2]
        if held[at] > gone and not filled:
            if left != k:
                held[GAP * left : GAP * left + GAP] = held[at : at + GAP]
            left += 1
    return left


@compiled
def _push(held, count, number, bottom, top, side):
    at = GAP * count
    held[at], held[at + 1], held[at + 2], held[at + 3] = number, bottom, top, side
    return count + 1
