"""One column over another."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled


@compiled
def over(top, bottom):
    """Each value over the other; NaN where that is not above 0."""
    made = np.full(top.shape[0], np.nan)
    for i in range(top.shape[0]):
        if bottom[i] > 0:
            made[i] = top[i] / bottom[i]
    return made
