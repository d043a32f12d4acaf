"""What two columns do together over a sliding window, from spans that double in length as in windows: nothing cancels, and the same window
gives the same bits wherever it stands. NaN where the window holds one."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry

CHUNK = 1024    # places that are made together
X, Y = (0, 0, 0, 0, 1), (0, 0, 1, 0, 1)     # of rows x, y, xy, xx, yy: what each is made of


@compiled
def _join(first, second, off, made):
    """Means of two spans of equal length, and how far they lie apart. Small loops run many places at a time, one large one does not."""
    for j in range(made.shape[0]):
        off[j] = second[j] - first[j]
        made[j] = first[j] + (second[j] - first[j]) * 0.5


@compiled
def _add(first, second, off_x, off_y, weight, made):
    """Sums about the means of two spans together (Chan, Golub and LeVeque 1979)."""
    for j in range(made.shape[0]):
        made[j] = first[j] + second[j] + off_x[j] * off_y[j] * weight


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
    made = np.empty((3, count))
    made[:, : window - 1] = np.nan
    size = min(CHUNK, count) + window
    off, held, longer, total = np.empty((2, size)), np.empty((5, size)), np.empty((5, size)), np.empty((5, size))
    for begin in range(window - 1, count, CHUNK):
        places = min(CHUNK, count - begin)
        size, length, done = places + window - 1, 1, 0
        held[0, :size], held[1, :size] = x[begin - window + 1 : begin + places], y[begin - window + 1 : begin + places]
        held[2:, :size] = 0.0
        while True:
            if window & length:
                if done == 0:
                    for row in range(5):
                        total[row, :places] = held[row, :places]
                else:
                    weight = done * length / (done + length)
                    for row in range(2):
                        _take_in(total[row, :places], held[row, done : done + places], length / (done + length), off[row, :places])
                    for row in range(2, 5):
                        _take_in_sums(total[row, :places], held[row, done : done + places], off[X[row], :places], off[Y[row], :places], weight)
                done += length
            if done == window:
                break
            size -= length
            for row in range(2):
                _join(held[row, :size], held[row, length : length + size], off[row, :size], longer[row, :size])
            for row in range(2, 5):
                _add(held[row, :size], held[row, length : length + size], off[X[row], :size], off[Y[row], :size], length / 2, longer[row, :size])
            held, longer, length = longer, held, 2 * length
        for row in range(3):
            made[row, begin : begin + places] = total[row + 2, :places]
    return made
