"""Adaptive conformal intervals once more, slowly: lists and loops, written from the definition alone."""

from __future__ import annotations

import math


def intervals(levels, kind, gamma, calibration, test):
    """``calibration``: (end, row, y), ``test``: (start, end, row, y), rows in rising order. A pair's score and miss count once the label's end has passed."""
    pairs = [(i, j) for i, low in enumerate(levels) for j, high in enumerate(levels) if i < j and abs(low + high - 1) < 1e-9]
    scores = {(i, j): [max(row[i] - y, y - row[j]) for _, row, y in sorted(calibration, key=lambda sample: sample[0])] for i, j in pairs}
    alphas = {(i, j): 2 * levels[i] for i, j in pairs}
    given, waiting = {}, []
    for now in sorted(range(len(test)), key=lambda k: test[k][0]):
        for past in sorted((k for k in waiting if test[k][1] <= test[now][0]), key=lambda k: test[k][1]):
            waiting.remove(past)
            _, _, row, y = test[past]
            if kind == "adaptive" and not math.isnan(y):
                for i, j in pairs:
                    missed = not given[past][i] <= y <= given[past][j]
                    alphas[i, j] += gamma * (2 * levels[i] - missed)
                    scores[i, j].append(max(row[i] - y, y - row[j]))
        given[now] = widened(test[now][2], pairs, scores, alphas) if kind != "none" else list(test[now][2])
        waiting.append(now)
    return [given[k] for k in range(len(test))]


def widened(row, pairs, scores, alphas):
    new = list(row)
    for i, j in pairs:
        last = sorted(scores[i, j][-2000:])
        k = min(max(math.ceil((len(last) + 1) * (1 - alphas[i, j])), 1), len(last))
        low, high = row[i] - last[k - 1], row[j] + last[k - 1]
        new[i], new[j] = (low, high) if low <= high else ((low + high) / 2, (low + high) / 2)
    for i, j in pairs:
        for inner in range(i + 1, j):
            new[inner] = min(max(new[inner], new[i]), new[j])
    return new
