"""Features as an outsider would write them from their definitions: plain loops over lists, None where there is no value. No code of the engine."""

from __future__ import annotations

import math
from collections.abc import Sequence

Values = list[float | None]


def roc(close: Sequence[float], n: int) -> Values:
    return [None if t < n else 100 * (close[t] / close[t - n] - 1) for t in range(len(close))]


def ema(close: Sequence[float], n: int) -> Values:
    out: Values = [None] * len(close)
    level = sum(close[:n]) / n
    for t in range(n - 1, len(close)):
        level = level if t == n - 1 else level + (close[t] - level) * 2 / (n + 1)
        out[t] = level
    return out


def true_range(high: Sequence[float], low: Sequence[float], close: Sequence[float]) -> Values:
    return [None, *(max(high[t], close[t - 1]) - min(low[t], close[t - 1]) for t in range(1, len(close)))]


def atr(high: Sequence[float], low: Sequence[float], close: Sequence[float], n: int) -> Values:
    ranges, out = true_range(high, low, close), [None] * len(close)
    level = sum(ranges[1 : n + 1]) / n
    for t in range(n, len(close)):
        level = level if t == n else level + (ranges[t] - level) / n
        out[t] = level
    return out


def rsi(close: Sequence[float], n: int) -> Values:
    moves, out = [close[t] - close[t - 1] for t in range(1, len(close))], [None] * len(close)
    up, down = sum(max(move, 0) for move in moves[:n]) / n, sum(max(-move, 0) for move in moves[:n]) / n
    for t in range(n, len(close)):
        if t > n:
            up, down = up + (max(moves[t - 1], 0) - up) / n, down + (max(-moves[t - 1], 0) - down) / n
        out[t] = 100 * up / (up + down) if up + down else 50.0
    return out


def adx(high: Sequence[float], low: Sequence[float], close: Sequence[float], n: int) -> Values:
    """Wilder's sums begun with n − 1 moves, as TA-Lib's; the index begun with the mean of its first n values."""
    ranges, out = true_range(high, low, close), [None] * len(close)
    rises = falls = total = 0.0
    indices = []
    for t in range(1, len(close)):
        up, down = high[t] - high[t - 1], low[t - 1] - low[t]
        keep = 1 - 1 / n if t >= n else 1.0
        rises = rises * keep + (up if up > down and up > 0 else 0)
        falls = falls * keep + (down if down > up and down > 0 else 0)
        total = total * keep + ranges[t]
        if t >= n:
            indices.append(100 * abs(rises - falls) / (rises + falls) if rises + falls else 0.0)
            if len(indices) == n:
                out[t] = sum(indices) / n
            elif len(indices) > n:
                out[t] = out[t - 1] + (indices[-1] - out[t - 1]) / n
    return out


def windows(values: Sequence[float | None], n: int):
    """The last n values at each place, None where there are fewer or one is unknown."""
    for t in range(len(values)):
        part = values[t - n + 1 : t + 1] if t >= n - 1 else []
        yield part if part and None not in part else None


def zscore(values: Sequence[float | None], n: int) -> Values:
    out: Values = []
    for part in windows(values, n):
        if part is None:
            out.append(None)
            continue
        mean = sum(part) / n
        deviation = math.sqrt(sum((value - mean) ** 2 for value in part) / n)
        out.append((part[-1] - mean) / deviation if deviation > 0 else 0.0)
    return out


def means(values: Sequence[float | None], n: int) -> Values:
    return [None if part is None else sum(part) / n for part in windows(values, n)]


def before(column: Values) -> Values:
    return [None, *column[:-1]]


def over(top: Sequence[float | None], bottom: Sequence[float | None]) -> Values:
    return [None if a is None or not b else a / b for a, b in zip(top, bottom, strict=True)]


def highest_before(high: Sequence[float], n: int) -> Values:
    return before([None if part is None else max(part) for part in windows(high, n)])


def lowest_before(low: Sequence[float], n: int) -> Values:
    return before([None if part is None else min(part) for part in windows(low, n)])


def correlation(x: Values, y: Values, n: int) -> Values:
    out: Values = []
    for a, b in zip(windows(x, n), windows(y, n), strict=True):
        if a is None or b is None:
            out.append(None)
            continue
        ma, mb = sum(a) / n, sum(b) / n
        va, vb = sum((value - ma) ** 2 for value in a), sum((value - mb) ** 2 for value in b)
        out.append(sum((p - ma) * (q - mb) for p, q in zip(a, b, strict=True)) / math.sqrt(va * vb) if va and vb else None)
    return out


def swings(high: Sequence[float], n: int) -> tuple[Values, list[bool]]:
    """The last swing high confirmed by each bar, and whether this bar confirms one."""
    out, fresh, last = [], [], None
    for t in range(len(high)):
        m = t - n
        new = m >= n and all(high[m - k] < high[m] for k in range(1, n + 1)) and all(high[m + k] <= high[m] for k in range(1, n + 1))
        last = high[m] if new else last
        out.append(last)
        fresh.append(new)
    return out, fresh


def breaks(high: Sequence[float], low: Sequence[float], close: Sequence[float], n: int) -> tuple[list[int | None], Values, Values]:
    """1 at the first close above the last swing high, −1 below the last swing low, else 0; and the swings."""
    tops, new_tops = swings(high, n)
    bottoms, new_bottoms = swings([-value for value in low], n)
    bottoms = [None if value is None else -value for value in bottoms]
    out, up, down = [], None, None
    for t in range(len(close)):
        up, down = tops[t] if new_tops[t] else up, bottoms[t] if new_bottoms[t] else down
        value = 0
        if up is not None and close[t] > up:
            value, up = 1, None
        elif down is not None and close[t] < down:
            value, down = -1, None
        out.append(value if tops[t] is not None and bottoms[t] is not None else None)
    return out, tops, bottoms
