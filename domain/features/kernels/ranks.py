"""Where a value stands among the latest: counts of whole windows, so that a rank never turns on rounding. NaN where the window holds one."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry

CHUNK = 2048    # places that are computed together: their counts stay near


@compiled
def _count(values, earlier, count):
    """Two for an earlier value that is below, one for one that is equal: a loop of its own runs many places at a time."""
    for j in range(count.shape[0]):
        count[j] += (1.0 if earlier[j] <= values[j] else 0.0) + (1.0 if earlier[j] < values[j] else 0.0)


@entry
def ranks(values, window):
    """Share of the other values of the window that are below each value, ties for a half: 0 the least, 1 the greatest; 0.5 where it is alone."""
    output = np.empty(values.shape[0])
    output[: window - 1] = np.nan
    for begin in range(window - 1, output.shape[0], CHUNK):
        count = output[begin : begin + CHUNK]
        now = values[begin : begin + CHUNK]
        count[:] = 0.0
        for back in range(1, window):
            _count(now, values[begin - back : begin - back + now.shape[0]], count)
    run = 0
    for i in range(values.shape[0]):
        run = 0 if np.isnan(values[i]) else run + 1
        output[i] = np.nan if run < window else output[i] / (2.0 * (window - 1)) if window > 1 else 0.5
    return output
