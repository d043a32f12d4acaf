"""Statistics of a sliding window, put together from spans that double in length: a window of any length costs a few passes, nothing is ever
taken away again, so nothing cancels, and the same window gives the same bits wherever it stands. NaN where the window holds one."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry
from domain.rounding import ROUNDING

CHUNK = 1024    # places that are made together, so that what is read again is near
SHORT = 64      # a window up to which its pairs are fewer steps than spans that double


@compiled
def _join(first, second, share, made):
    """Means of two spans, the second ``share`` of the whole."""
    for j in range(made.shape[0]):
        made[j] = first[j] + (second[j] - first[j]) * share


@compiled
def _take_in(total, span, share):
    """The same, where the first is the whole from then on: a loop of its own, for one that writes what it reads runs many places at a time only
    where that shows."""
    for j in range(total.shape[0]):
        total[j] += (span[j] - total[j]) * share


@compiled
def _means_into(one, window, total, spans, longer):
    """Means of each ``window`` values of ``one``, one after another; ``spans`` and ``longer`` are buffers, as long as ``one``."""
    length, done = 1, 0
    while True:
        if window & length:
            if done == 0:
                total[:] = one[: total.shape[0]]
            else:
                _take_in(total, one[done : done + total.shape[0]], length / (done + length))
            done += length
        if done == window:
            break
        held = one.shape[0] - length
        _join(one[:held], one[length:], 0.5, longer[:held])
        one, spans, longer, length = longer[:held], longer, spans, 2 * length


@entry
def means(values, window):
    """Mean of the last ``window`` values at each place. Equal values have exactly their value as mean."""
    made = np.empty(values.shape[0])
    made[: window - 1] = np.nan
    spans, longer = np.empty(min(CHUNK, made.shape[0]) + window), np.empty(min(CHUNK, made.shape[0]) + window)
    for begin in range(window - 1, made.shape[0], CHUNK):
        total = made[begin : begin + CHUNK]
        _means_into(values[begin - window + 1 : begin + total.shape[0]], window, total, spans, longer)
    return made


@compiled
def _join_both(first, first_sums, second, second_sums, weight, slopes, made, made_sums):
    """Means of two spans of equal length, and sums about them: of squares (Chan, Golub and LeVeque 1979), or of values times places."""
    for j in range(made.shape[0]):
        off = second[j] - first[j]
        made[j] = first[j] + off * 0.5
        made_sums[j] = first_sums[j] + second_sums[j] + (off if slopes else off * off) * weight


@compiled
def _take_in_both(total, total_sums, span, span_sums, share, weight, slopes):
    """The same, where the first is the whole from then on and the second ``share`` of it."""
    for j in range(total.shape[0]):
        off = span[j] - total[j]
        total[j] += off * share
        total_sums[j] += span_sums[j] + (off if slopes else off * off) * weight


@compiled
def _moments(values, window, slopes):
    """Means, and beside them the sums about the mean of squares, or of values times places."""
    count = values.shape[0]
    made, made_sums = np.empty(count), np.empty(count)
    made[: window - 1] = np.nan
    made_sums[: window - 1] = np.nan
    size = min(CHUNK, count) + window
    zeros, spans, longer, sums, longer_sums = np.zeros(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for begin in range(window - 1, count, CHUNK):
        total, total_sums = made[begin : begin + CHUNK], made_sums[begin : begin + CHUNK]
        places, length, done = total.shape[0], 1, 0
        one, one_sums = values[begin - window + 1 : begin + places], zeros
        while True:
            if window & length:
                if done == 0:
                    total[:] = one[:places]
                    total_sums[:] = one_sums[:places]
                else:
                    weight = done * length / 2 if slopes else done * length / (done + length)
                    _take_in_both(total, total_sums, one[done : done + places], one_sums[done : done + places], length / (done + length), weight, slopes)
                done += length
            if done == window:
                break
            held, weight = one.shape[0] - length, length * length / 2 if slopes else length / 2
            _join_both(one[:held], one_sums[:held], one[length:], one_sums[length : length + held], weight, slopes, longer[:held], longer_sums[:held])
            one, one_sums, length = longer[:held], longer_sums[:held], 2 * length
            spans, longer, sums, longer_sums = longer, spans, longer_sums, sums
    return made, made_sums


@entry
def moments(values, window):
    """Mean of the last ``window`` values, and the sum of squares about it."""
    return _moments(values, window, False)


@entry
def deviations(values, window, degrees):
    """Standard deviation of the last ``window`` values at each place, over ``window`` less ``degrees``; NaN where that is none."""
    squares = _moments(values, window, False)[1]
    share = 1.0 / (window - degrees) if window > degrees else np.nan
    for i in range(squares.shape[0]):
        squares[i] = np.sqrt(squares[i] * share)
    return squares


@entry
def scores(values, window):
    """How many standard deviations each value lies off the mean of the last ``window``; 0 where these are all equal but for rounding."""
    made, squares = _moments(values, window, False)
    for i in range(made.shape[0]):
        deviation = np.sqrt(squares[i] / window)
        score = (values[i] - made[i]) / deviation
        made[i] = 0.0 if deviation <= ROUNDING * abs(made[i]) else score
    return made


@entry
def slopes(values, window):
    """Slope per place of the least-squares line through the last ``window`` values; NaN for a window of one."""
    share = 12.0 / (window * (window * window - 1.0)) if window > 1 else np.nan
    if 1 < window <= SHORT:
        return _weighed_pairs(values, window, share)
    made = _moments(values, window, True)[1]
    for i in range(made.shape[0]):
        made[i] *= share
    return made


@compiled
def _weighed_pairs(values, window, share):
    """``share`` of the sum of values times places about the middle of each window: of what the last is above the first, the last but one above the
    second, and so on, times half of how far they stand apart."""
    made = np.empty(values.shape[0])
    made[: window - 1] = np.nan
    pairs = window // 2
    for begin in range(window - 1, made.shape[0], CHUNK):
        total = made[begin : begin + CHUNK]
        one = values[begin - window + 1 : begin + total.shape[0]]
        _begin(one[pairs:], window % 2 == 1, total)
        for inner in range(0, pairs - pairs % 4, 4):
            _add_four(one[inner:], one[window - 4 - inner :], 0.5 * (window - 1 - 2 * inner) * share, share, total)
        for inner in range(pairs - pairs % 4, pairs):
            _add_pair(one[inner:], one[window - 1 - inner :], 0.5 * (window - 1 - 2 * inner) * share, total)
    return made


@compiled
def _begin(middle, odd, total):
    """Nothing; and NaN where the middle one, which is in no pair, is."""
    for j in range(total.shape[0]):
        total[j] = middle[j] * 0.0 if odd else 0.0


@compiled
def _add_pair(first, last, weight, total):
    for j in range(total.shape[0]):
        total[j] += (last[j] - first[j]) * weight


@compiled
def _add_four(first, last, weight, less, total):
    """Four pairs from the outer to the inner: each one's weight ``less`` below that before it."""
    second, third, fourth = weight - less, weight - 2.0 * less, weight - 3.0 * less
    for j in range(total.shape[0]):
        outer = (last[j + 3] - first[j]) * weight + (last[j + 2] - first[j + 1]) * second
        total[j] += outer + ((last[j + 1] - first[j + 2]) * third + (last[j] - first[j + 3]) * fourth)


@compiled
def _add_distance(values, means, total):
    for j in range(total.shape[0]):
        total[j] += abs(values[j] - means[j])


@entry
def distance_scores(values, window):
    """How many mean distances from their mean each value lies off the mean of the last ``window``; 0 where these are all equal but for rounding."""
    made, spread = means(values, window), np.empty(min(CHUNK, values.shape[0]))
    for begin in range(window - 1, made.shape[0], CHUNK):
        middle, last = made[begin : begin + CHUNK], values[begin : begin + CHUNK]
        total = spread[: middle.shape[0]]
        total[:] = 0.0
        for back in range(window):
            _add_distance(values[begin - back : begin - back + total.shape[0]], middle, total)
        for j in range(total.shape[0]):
            score = (last[j] - middle[j]) / total[j] * window
            middle[j] = 0.0 if total[j] <= ROUNDING * window * abs(middle[j]) else score
    return made
