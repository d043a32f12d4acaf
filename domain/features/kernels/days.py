"""A value a bar that changes by the day, against its own days."""

from __future__ import annotations

import numpy as np

from domain.compiled import entry
from domain.rounding import ROUNDING

DAY = 86_400_000_000_000


@entry
def scores(values, ts, least, state, ring):
    """How many standard deviations each value lies above the mean of as many days as ``ring`` has places, the present one as it stands so far;
    from ``least`` days on, 0 where they do not differ. A day without a value is no day.

    ``state``: days so far, the present day, its place in the ring, mean and deviation as last made."""
    output = np.full(values.shape[0], np.nan)
    window = ring.shape[0]
    for i in range(values.shape[0]):
        value = values[i]
        if np.isnan(value):
            continue
        changed = True
        day = float(ts[i] // DAY)
        if state[0] == 0.0 or day != state[1]:
            place = int(state[0]) % window
            state[0], state[1], state[2] = state[0] + 1.0, day, float(place)
        else:
            place = int(state[2])
            changed = ring[place] != value
        ring[place] = value
        filled = min(int(state[0]), window)
        if filled < least:
            continue
        if changed:
            mean = 0.0
            for k in range(filled):
                mean += ring[k]
            mean /= filled
            squares = 0.0
            for k in range(filled):
                squares += (ring[k] - mean) ** 2
            state[3], state[4] = mean, np.sqrt(squares / filled)
        output[i] = (value - state[3]) / state[4] if state[4] > ROUNDING * abs(state[3]) else 0.0
    return output
