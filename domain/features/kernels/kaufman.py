"""How straight prices went, and Kaufman's average, whose steps follow it."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry
from domain.features.kernels.windows import CHUNK, SHORT
from domain.rounding import ROUNDING


@compiled
def _sums_into(one, window, total, spans, longer):
    """Sums of each ``window`` values of ``one``, one after another; ``spans`` and ``longer`` are buffers, as long as ``one``."""
    if window == 0:
        total[:] = 0.0
    elif window < 4 or window > SHORT:
        _long_sums_into(one, window, total, spans, longer)
    else:
        _short_sums_into(one, window, total, longer)


@compiled
def _short_sums_into(one, window, total, longer):
    """The same from spans of four."""
    fours, count = longer[: one.shape[0] - 3], window // 4
    _add_four_spans(one, one[1:], one[2:], one[3:], fours)
    if count == 1:
        total[:] = fours[: total.shape[0]]
    else:
        _add_two_spans(fours, fours[4:], total)
    for k in range(2, count):
        _add_to(total, fours[4 * k :])
    for back in range(4 * count, window):
        _add_to(total, one[back:])


@compiled
def _long_sums_into(one, window, total, spans, longer):
    """The same from spans that are each four times as long as those before: few passes for a window of any length."""
    length, done = 1, 0
    while True:
        for _ in range(window // length % 4):
            if done == 0:
                total[:] = one[: total.shape[0]]
            else:
                _add_to(total, one[done:])
            done += length
        if done == window:
            break
        held = one.shape[0] - 3 * length
        _add_four_spans(one, one[length:], one[2 * length :], one[3 * length :], longer[:held])
        one, spans, longer, length = longer[:held], longer, spans, 4 * length


@compiled
def _add_two_spans(first, second, made):
    for j in range(made.shape[0]):
        made[j] = first[j] + second[j]


@compiled
def _add_to(total, span):
    for j in range(total.shape[0]):
        total[j] += span[j]


@compiled
def _add_four_spans(first, second, third, fourth, made):
    for j in range(made.shape[0]):
        made[j] = (first[j] + second[j]) + (third[j] + fourth[j])


@entry
def buffers(size):
    """Three arrays to work in, side by side."""
    made = np.empty(3 * size)
    return made[:size], made[size : 2 * size], made[2 * size :]


@compiled
def straightness_into(values, window, made, moves, spans, longer):
    """How far each ``window`` moves between ``values`` led, over how far they went; ``moves``, ``spans`` and ``longer`` are buffers."""
    one, other, to = values[:-1], values[1:], moves[: values.shape[0] - 1]
    for i in range(to.shape[0]):
        to[i] = abs(other[i] - one[i])
    _sums_into(to, window - 1, made, spans, longer)
    last, rest = values[window:], to[window - 1 :]
    for i in range(made.shape[0]):
        went = made[i] + rest[i]
        share = abs(last[i] - values[i]) / went
        made[i] = 0.0 if went <= ROUNDING * abs(last[i]) else 1.0 if share > 1.0 else share


@entry
def straightness(values, window):
    """How far the last ``window`` moves led, over how far they went: 0 to 1, and 0 where there was no move."""
    made = np.empty(values.shape[0])
    made[:window] = np.nan
    moves, spans, longer = buffers(min(CHUNK, made.shape[0]) + window)
    for begin in range(window, made.shape[0], CHUNK):
        to = made[begin : begin + CHUNK]
        straightness_into(values[begin - window : begin + to.shape[0]], window, to, moves, spans, longer)
    return made


@entry
def adapted(close, before, window, fast, slow, state):
    """Kaufman's average: steps between those of a slow and a fast exponential average, by how straight the last ``window`` moves were. The first
    ``before`` closes are those that stood before. ``state``: closes known up to ``window``, the average, its place, the first close of the four,
    what is left of the average after them, and what they add."""
    made = np.empty(close.shape[0] - before)
    known, level, place, first, left, part = state[0], state[1], state[2], state[3], state[4], state[5]
    least, most = 2.0 / (slow + 1.0), 2.0 / (fast + 1.0)
    i = 0
    while i < made.shape[0] and known < window:
        known, level, made[i] = known + 1.0, close[before + i], np.nan
        i += 1
    size = min(CHUNK, made.shape[0])
    steps, (moves, spans, longer) = np.empty(size), buffers(size + window)
    for begin in range(i, made.shape[0], CHUNK):
        to = made[begin : begin + CHUNK]
        values = close[before + begin : before + begin + to.shape[0]]
        straightness_into(close[before + begin - window : before + begin + to.shape[0]], window, steps[: to.shape[0]], moves, spans, longer)
        for j in range(to.shape[0]):
            step = steps[j] * (most - least) + least
            steps[j] = step * step
        j = 0
        while j < to.shape[0]:
            if place == 0.0:
                while j + 4 <= to.shape[0]:
                    first, off = values[j], level - values[j]
                    one, two, three, four = steps[j], steps[j + 1], steps[j + 2], steps[j + 3]
                    once = 1.0 - one
                    twice = once * (1.0 - two)
                    thrice = twice * (1.0 - three)
                    second = (values[j + 1] - first) * two
                    third = second * (1.0 - three) + (values[j + 2] - first) * three
                    fourth = third * (1.0 - four) + (values[j + 3] - first) * four
                    last = (first + fourth) + off * (thrice * (1.0 - four))
                    if np.isnan(last):
                        break
                    to[j], to[j + 1], to[j + 2], to[j + 3] = first + off * once, (first + second) + off * twice, (first + third) + off * thrice, last
                    level, j = last, j + 4
                if j == to.shape[0]:
                    break
            if np.isnan(steps[j]):
                to[j] = np.nan
            else:
                first = values[j] if place == 0.0 else first
                left = left * (1.0 - steps[j]) if place > 0.0 else 1.0 - steps[j]
                part = part * (1.0 - steps[j]) + (values[j] - first) * steps[j] if place > 0.0 else 0.0
                place += 1.0
                to[j] = (first + part) + (level - first) * left
                if place == 4.0:
                    level, place = to[j], 0.0
            j += 1
    state[0], state[1], state[2], state[3], state[4], state[5] = known, level, place, first, left, part
    return made
