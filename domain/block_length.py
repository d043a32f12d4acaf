"""Mean length of the blocks of a stationary bootstrap, chosen by the sample itself."""

from __future__ import annotations

import math

import numpy as np

from domain.rounding import ROUNDING

FEWEST = 10         # values from which an autocorrelation is read


def automatic_block(sample: np.ndarray) -> float:
    """Mean block length for the stationary bootstrap, from the sample's own autocorrelation; 1 where it has none.

    Source: Politis & White (2004), Automatic Block-Length Selection for the Dependent Bootstrap, with the correction of Patton, Politis & White (2009).

    >>> automatic_block(np.array([1.0, 1.0, 1.0]))
    1.0
    """
    n = len(sample)
    apart = np.asarray(sample, float) - np.mean(sample)
    if n < FEWEST or float(apart.std(ddof=1)) <= ROUNDING * float(np.abs(sample).max()):
        return 1.0
    run = max(5, math.ceil(math.sqrt(math.log10(n))))
    most = min(math.ceil(math.sqrt(n)) + run, n - 1)
    covariance = np.array([apart[lag:] @ apart[: n - lag] for lag in range(most + 1)]) / n
    small = np.abs(covariance[1:] / covariance[0]) < 2.0 * math.sqrt(math.log10(n) / n)
    reach = min(2 * _last_before_quiet(small, run), most)
    if not reach:
        return 1.0
    lags = np.arange(1, reach + 1)
    weights = np.minimum(1.0, 2.0 * (1.0 - lags / reach)) * covariance[1 : reach + 1]       # a flat top
    slope, level = 2.0 * float(lags @ weights), covariance[0] + 2.0 * float(weights.sum())
    length = (slope**2 / level**2) ** (1 / 3) * n ** (1 / 3) if abs(level) > ROUNDING * covariance[0] else 1.0
    return float(min(max(length, 1.0), math.ceil(min(3.0 * math.sqrt(n), n / 3.0))))


def _last_before_quiet(small: np.ndarray, run: int) -> int:
    """Lags before the first ``run`` following ones that are all small; if there is no such run, the last that is not small."""
    for lag in range(len(small) - run + 1):
        if small[lag : lag + run].all():
            return lag
    large = np.flatnonzero(~small)
    return int(large[-1]) + 1 if len(large) else 0
