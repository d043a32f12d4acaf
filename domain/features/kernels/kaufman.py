"""How straight prices went, and Kaufman's average, whose steps follow it."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry
from domain.features.kernels.windows import CHUNK, SHORT
from domain.rounding import ROUNDING


@compiled
def _sums_into(values, window, total, spans, longer):
    """Sums of each ``window`` values of ``values``, one after another; ``spans`` and ``longer`` are buffers, as long as ``values``."""
    if window == 0:
        total[:] = 0.0
    elif window < 4 or window > SHORT:
        _long_sums_into(values, window, total, spans, longer)
    else:
        _short_sums_into(values, window, total, longer)


@compiled
def _short_sums_into(values, window, total, longer):
    """The same from spans of four."""
    fours, count = longer[: values.shape[0] - 3], window // 4
    _add_four_spans(values, values[1:], values[2:], values[3:], fours)
    if count == 1:
        total[:] = fours[: total.shape[0]]
    else:
        _add_two_spans(fours, fours[4:], total)
    for k in range(2, count):
        _add_to(total, fours[4 * k :])
    for back in range(4 * count, window):
        _add_to(total, values[back:])


@compiled
def _long_sums_into(values, window, total, spans, longer):
    """The same from spans that are each four times as long as those before: few passes for a window of any length."""
    length, done = 1, 0
    while True:
        for _ in range(window // length % 4):
            if done == 0:
                total[:] = values[: total.shape[0]]
            else:
                _add_to(total, values[done:])
            done += length
        if done == window:
            break
        count = values.shape[0] - 3 * length
        _add_four_spans(values, values[length:], values[2 * length :], values[3 * length :], longer[:count])
        values, spans, longer, length = longer[:count], longer, spans, 4 * length


@compiled
def _add_two_spans(first, second, output):
    for j in range(output.shape[0]):
        output[j] = first[j] + second[j]


@compiled
def _add_to(total, span):
    for j in range(total.shape[0]):
        total[j] += span[j]


@compiled
def _add_four_spans(first, second, third, fourth, output):
    for j in range(output.shape[0]):
        output[j] = (first[j] + second[j]) + (third[j] + fourth[j])


@entry
def buffers(size):
    """Three arrays to work in, side by side."""
    memory = np.empty(3 * size)
    return memory[:size], memory[size : 2 * size], memory[2 * size :]


@compiled
def straightness_into(values, window, output, moves, spans, longer):
    """How far each ``window`` moves between ``values`` led, over how far they went; ``moves``, ``spans`` and ``longer`` are buffers."""
    earlier, later, to = values[:-1], values[1:], moves[: values.shape[0] - 1]
    for i in range(to.shape[0]):
        to[i] = abs(later[i] - earlier[i])
    _sums_into(to, window - 1, output, spans, longer)
    last, rest = values[window:], to[window - 1 :]
    for i in range(output.shape[0]):
        went = output[i] + rest[i]
        share = abs(last[i] - values[i]) / went
        output[i] = 0.0 if went <= ROUNDING * abs(last[i]) else 1.0 if share > 1.0 else share


@entry
def straightness(values, window):
    """How far the last ``window`` moves led, over how far they went: 0 to 1, and 0 where there was no move."""
    output = np.empty(values.shape[0])
    output[:window] = np.nan
    moves, spans, longer = buffers(min(CHUNK, output.shape[0]) + window)
    for begin in range(window, output.shape[0], CHUNK):
        to = output[begin : begin + CHUNK]
        straightness_into(values[begin - window : begin + to.shape[0]], window, to, moves, spans, longer)
    return output


@entry
def adapted(close, before, window, fast, slow, state):
    """Kaufman's average: steps between those of a slow and a fast exponential average, by how straight the last ``window`` moves were. The first
    ``before`` closes are those that stood before. ``state``: closes known up to ``window``, the average, its place, the first close of the four,
    what is left of the average after them, and what they add."""
    output = np.empty(close.shape[0] - before)
    count, level, place, first, decay, part = state[0], state[1], state[2], state[3], state[4], state[5]
    least, most = 2.0 / (slow + 1.0), 2.0 / (fast + 1.0)
    i = 0
    while i < output.shape[0] and count < window:
        count, level, output[i] = count + 1.0, close[before + i], np.nan
        i += 1
    size = min(CHUNK, output.shape[0])
    steps, (moves, spans, longer) = np.empty(size), buffers(size + window)
    for begin in range(i, output.shape[0], CHUNK):
        to = output[begin : begin + CHUNK]
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
                    step_1, step_2, step_3, step_4 = steps[j], steps[j + 1], steps[j + 2], steps[j + 3]
                    once = 1.0 - step_1
                    twice = once * (1.0 - step_2)
                    thrice = twice * (1.0 - step_3)
                    second = (values[j + 1] - first) * step_2
                    third = second * (1.0 - step_3) + (values[j + 2] - first) * step_3
                    fourth = third * (1.0 - step_4) + (values[j + 3] - first) * step_4
                    last = (first + fourth) + off * (thrice * (1.0 - step_4))
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
                decay = decay * (1.0 - steps[j]) if place > 0.0 else 1.0 - steps[j]
                part = part * (1.0 - steps[j]) + (values[j] - first) * steps[j] if place > 0.0 else 0.0
                place += 1.0
                to[j] = (first + part) + (level - first) * decay
                if place == 4.0:
                    level, place = to[j], 0.0
            j += 1
    state[0], state[1], state[2], state[3], state[4], state[5] = count, level, place, first, decay, part
    return output
