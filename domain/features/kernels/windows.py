"""Statistics of a sliding window, put together from spans that double in length: a window of any length costs a few passes, nothing is ever
taken away again, so nothing cancels, and the same window gives the same bits wherever it stands. NaN where the window holds one."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry
from domain.rounding import ROUNDING

CHUNK = 1024    # places that are computed together, so that what is read again is near
SHORT = 64      # a window up to which its pairs are fewer steps than spans that double


@compiled
def _join(first, second, share, output):
    """Means of two spans, the second ``share`` of the whole."""
    for j in range(output.shape[0]):
        output[j] = first[j] + (second[j] - first[j]) * share


@compiled
def _take_in(total, span, share):
    """The same, where the first is the whole from then on: a loop of its own, for one that writes what it reads runs many places at a time only
    where that shows."""
    for j in range(total.shape[0]):
        total[j] += (span[j] - total[j]) * share


@compiled
def _means_into(values, window, total, spans, longer):
    """Means of each ``window`` values of ``values``, one after another; ``spans`` and ``longer`` are buffers, as long as ``values``."""
    length, done = 1, 0
    while True:
        if window & length:
            if done == 0:
                total[:] = values[: total.shape[0]]
            else:
                _take_in(total, values[done : done + total.shape[0]], length / (done + length))
            done += length
        if done == window:
            break
        count = values.shape[0] - length
        _join(values[:count], values[length:], 0.5, longer[:count])
        values, spans, longer, length = longer[:count], longer, spans, 2 * length


@entry
def means(values, window):
    """Mean of the last ``window`` values at each place. Equal values have exactly their value as mean."""
    output = np.empty(values.shape[0])
    output[: window - 1] = np.nan
    spans, longer = np.empty(min(CHUNK, output.shape[0]) + window), np.empty(min(CHUNK, output.shape[0]) + window)
    for begin in range(window - 1, output.shape[0], CHUNK):
        total = output[begin : begin + CHUNK]
        _means_into(values[begin - window + 1 : begin + total.shape[0]], window, total, spans, longer)
    return output


@compiled
def _join_both(first, first_sums, second, second_sums, weight, slopes, output, output_sums):
    """Means of two spans of equal length, and sums about them: of squares (Chan, Golub and LeVeque 1979), or of values times places."""
    for j in range(output.shape[0]):
        off = second[j] - first[j]
        output[j] = first[j] + off * 0.5
        output_sums[j] = first_sums[j] + second_sums[j] + (off if slopes else off * off) * weight


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
    output, output_sums = np.empty(count), np.empty(count)
    output[: window - 1] = np.nan
    output_sums[: window - 1] = np.nan
    size = min(CHUNK, count) + window
    zeros, spans, longer, sums, longer_sums = np.zeros(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for begin in range(window - 1, count, CHUNK):
        total, total_sums = output[begin : begin + CHUNK], output_sums[begin : begin + CHUNK]
        places, length, done = total.shape[0], 1, 0
        part, part_sums = values[begin - window + 1 : begin + places], zeros
        while True:
            if window & length:
                if done == 0:
                    total[:] = part[:places]
                    total_sums[:] = part_sums[:places]
                else:
                    weight = done * length / 2 if slopes else done * length / (done + length)
                    _take_in_both(total, total_sums, part[done : done + places], part_sums[done : done + places], length / (done + length), weight, slopes)
                done += length
            if done == window:
                break
            width, weight = part.shape[0] - length, length * length / 2 if slopes else length / 2
            _join_both(part[:width], part_sums[:width], part[length:], part_sums[length : length + width], weight, slopes, longer[:width], longer_sums[:width])
            part, part_sums, length = longer[:width], longer_sums[:width], 2 * length
            spans, longer, sums, longer_sums = longer, spans, longer_sums, sums
    return output, output_sums


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
    output, squares = _moments(values, window, False)
    for i in range(output.shape[0]):
        deviation = np.sqrt(squares[i] / window)
        score = (values[i] - output[i]) / deviation
        output[i] = 0.0 if deviation <= ROUNDING * abs(output[i]) else score
    return output


@entry
def slopes(values, window):
    """Slope per place of the least-squares line through the last ``window`` values; NaN for a window of one."""
    share = 12.0 / (window * (window * window - 1.0)) if window > 1 else np.nan
    if 1 < window <= SHORT:
        return _weighed_pairs(values, window, share)
    output = _moments(values, window, True)[1]
    for i in range(output.shape[0]):
        output[i] *= share
    return output


@compiled
def _weighed_pairs(values, window, share):
    """``share`` of the sum of values times places about the middle of each window: of what the last is above the first, the last but one above the
    second, and so on, times half of how far they stand apart."""
    output = np.empty(values.shape[0])
    output[: window - 1] = np.nan
    pairs = window // 2
    for begin in range(window - 1, output.shape[0], CHUNK):
        total = output[begin : begin + CHUNK]
        part = values[begin - window + 1 : begin + total.shape[0]]
        _begin(part[pairs:], window % 2 == 1, total)
        for inner in range(0, pairs - pairs % 4, 4):
            _add_four(part[inner:], part[window - 4 - inner :], 0.5 * (window - 1 - 2 * inner) * share, share, total)
        for inner in range(pairs - pairs % 4, pairs):
            _add_pair(part[inner:], part[window - 1 - inner :], 0.5 * (window - 1 - 2 * inner) * share, total)
    return output


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
    output, spread = means(values, window), np.empty(min(CHUNK, values.shape[0]))
    for begin in range(window - 1, output.shape[0], CHUNK):
        middle, last = output[begin : begin + CHUNK], values[begin : begin + CHUNK]
        total = spread[: middle.shape[0]]
        total[:] = 0.0
        for back in range(window):
            _add_distance(values[begin - back : begin - back + total.shape[0]], middle, total)
        for j in range(total.shape[0]):
            score = (last[j] - middle[j]) / total[j] * window
            middle[j] = 0.0 if total[j] <= ROUNDING * window * abs(middle[j]) else score
    return output
