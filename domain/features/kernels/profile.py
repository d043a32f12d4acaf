"""What is usual at an hour of the week."""

from __future__ import annotations

import numpy as np

from domain.compiled import entry

HOURS, PARTS = 168, 3


@entry
def usual(minutes, values, weeks, state):
    """Mean of the values before each in its hour of the week, of this week and the ``weeks`` before it; ``minutes`` are counted from a Monday.
    ``state``: for each hour, ``weeks`` and one times (number of the week and a bias, sum, count)."""
    output = np.full(values.shape[0], np.nan)
    slots = weeks + 1
    for i in range(values.shape[0]):
        first = minutes[i] // 60 % HOURS * slots * PARTS
        week = minutes[i] // (60 * HOURS) + 10_000
        total, count = 0.0, 0.0
        for k in range(first, first + slots * PARTS, PARTS):
            if week - state[k] <= weeks:
                total, count = total + state[k + 1], count + state[k + 2]
        if count > 0:
            output[i] = total / count
        if not np.isnan(values[i]):
            own = first + week % slots * PARTS
            if state[own] != week:
                state[own], state[own + 1], state[own + 2] = week, 0.0, 0.0
            state[own + 1] += values[i]
            state[own + 2] += 1
    return output
