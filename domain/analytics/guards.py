"""Ratios and deviations of metrics, where they exist: see ``domain.rounding``. A value divided by zero, or by rounding, is NaN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from domain.rounding import ROUNDING


def finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def over(a: float, b: float, size: float = 0.0) -> float:
    """a ÷ b; NaN over 0, and over a value that is only rounding relative to ``size``, that of the values b was computed from.

    >>> over(1.0, 2.0), over(1.0, 0.0), over(1.0, 1e-13, size=2.0)
    (0.5, nan, nan)
    """
    return a / b if abs(b) > ROUNDING * size else np.nan


def over_positive(a: float, b: float, size: float = 0.0) -> float:
    """The same where b must be above 0 as well: a share of what was earned has no value where nothing was.

    >>> over_positive(1.0, 2.0), over_positive(1.0, -2.0)
    (0.5, nan)
    """
    return over(a, b, size) if b > 0 else np.nan


def deviation(values: np.ndarray, degrees: int = 1) -> float:
    """Standard deviation (n − ``degrees``); exactly 0 where it is only rounding relative to the values.

    >>> deviation(np.array([2.0, 2.0 + 1e-13])), round(deviation(np.array([1.0, 3.0])), 6)
    (0.0, 1.414214)
    """
    spread = _spread(values, degrees) if values.dtype == np.float64 and values.ndim == 1 and len(values) > degrees else float(values.std(ddof=degrees))
    return spread if spread > ROUNDING * size_of(values) else 0.0


def _spread(values: np.ndarray, degrees: int) -> float:
    """``std`` of numbers side by side, by the same steps but not by the way around arrays of every kind."""
    apart = values - values.sum() / len(values)
    return math.sqrt((apart * apart).sum() / (len(values) - degrees))


def size_of(values: Any) -> float:
    """The largest absolute value, 0 of none."""
    return float(np.abs(np.asarray(values, float)).max(initial=0.0))
