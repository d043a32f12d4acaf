"""Values against what is usual at their time of day."""

from __future__ import annotations

import numpy as np

from domain.compiled import entry
from domain.features.kernels.ratios import is_range

DAY = 86_400_000_000_000
FEWEST = 3      # days that make a mean


@entry
def against_time_of_day(ts, minutes, values, price, tick, days, state):
    """Each range of prices over the mean of those at the same of 1440 ``minutes`` on the last ``days`` days that had one; NaN before three of them,
    and where a minute was not seen for twice as many days it begins anew.
    ``state``: for each minute how many values it had, their last day, and the latest of them, each in its turn."""
    output = np.empty(values.shape[0])
    for i in range(values.shape[0]):
        output[i] = np.nan
        if np.isnan(values[i]):
            continue
        own = state[minutes[i] % 1440 * (days + 2) :][: days + 2]
        day = ts[i] // DAY
        values_seen = 0 if day - own[1] > 2 * days else int(own[0])
        count, total = min(values_seen, days), 0.0
        for k in range(count):
            total += own[2 + k]
        if count >= min(FEWEST, days) and is_range(total / count, price[i], tick):
            output[i] = values[i] * count / total
        own[2 + values_seen % days] = values[i]
        own[0], own[1] = values_seen + 1.0, day
    return output
