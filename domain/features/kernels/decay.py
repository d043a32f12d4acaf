"""Means in which the past fades by the clock."""

from __future__ import annotations

import numpy as np

from domain.compiled import entry


@entry
def fading_means(times, values, half_life):
    """Mean of the values so far at each of their instants, each counted half as much for every ``half_life`` that has passed since."""
    output = np.empty(values.shape[0])
    total, weight = 0.0, 0.0
    for i in range(values.shape[0]):
        decay = 0.5 ** (float(times[i] - times[i - 1]) / half_life) if i > 0 else 0.0
        total, weight = total * decay + values[i], weight * decay + 1.0
        output[i] = total / weight
    return output
