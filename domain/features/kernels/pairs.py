"""What two columns do together over a sliding window, from spans that double in length as in windows: nothing cancels, and the same window
gives the same bits wherever it stands. NaN where the window holds one."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry

CHUNK = 1024    # places that are computed together
X, Y = (0, 0, 0, 0, 1), (0, 0, 1, 0, 1)     # of rows x, y, xy, xx, yy: the factors of each


@compiled
def _join(first, second, off, output):
    """Means of two spans of equal length, and how far they lie apart. Small loops run many places at a time, one large one does not."""
    for j in range(output.shape[0]):
        off[j] = second[j] - first[j]
        output[j] = first[j] + (second[j] - first[j]) * 0.5


@compiled
def _add(first, second, off_x, off_y, weight, output):
    """Sums about the means of two spans together (Chan, Golub and LeVeque 1979)."""
    for j in range(output.shape[0]):
        output[j] = first[j] + second[j] + off_x[j] * off_y[j] * weight


@compiled
def _take_in(total, span, share, off):
    """As _join, where the first is the whole from then on and the second ``share`` of it."""
    for j in range(total.shape[0]):
        off[j] = span[j] - total[j]
    for j in range(total.shape[0]):
        total[j] += off[j] * share


@compiled
def _take_in_sums(total, span, off_x, off_y, weight):
    for j in range(total.shape[0]):
        total[j] += span[j] + off_x[j] * off_y[j] * weight


@entry
def moments(x, y, window):
    """Sums over the last ``window`` pairs at each place of products about the means, and of squares about each mean: rows xy, xx, yy."""
    count = x.shape[0]
    output = np.empty((3, count))
    output[:, : window - 1] = np.nan
    size = min(CHUNK, count) + window
    off, spans, longer, total = np.empty((2, size)), np.empty((5, size)), np.empty((5, size)), np.empty((5, size))
    for begin in range(window - 1, count, CHUNK):
        places = min(CHUNK, count - begin)
        size, length, done = places + window - 1, 1, 0
        spans[0, :size], spans[1, :size] = x[begin - window + 1 : begin + places], y[begin - window + 1 : begin + places]
        spans[2:, :size] = 0.0
        while True:
            if window & length:
                if done == 0:
                    for row in range(5):
                        total[row, :places] = spans[row, :places]
                else:
                    weight = done * length / (done + length)
                    for row in range(2):
                        _take_in(total[row, :places], spans[row, done : done + places], length / (done + length), off[row, :places])
                    for row in range(2, 5):
                        _take_in_sums(total[row, :places], spans[row, done : done + places], off[X[row], :places], off[Y[row], :places], weight)
                done += length
            if done == window:
                break
            size -= length
            for row in range(2):
                _join(spans[row, :size], spans[row, length : length + size], off[row, :size], longer[row, :size])
            for row in range(2, 5):
                _add(spans[row, :size], spans[row, length : length + size], off[X[row], :size], off[Y[row], :size], length / 2, longer[row, :size])
            spans, longer, length = longer, spans, 2 * length
        for row in range(3):
            output[row, begin : begin + places] = total[row + 2, :places]
    return output
