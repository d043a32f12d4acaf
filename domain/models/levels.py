"""Levels of quantiles, and quantiles of weighted labels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from domain.errors import BadRequest


def levels_of(text: str) -> tuple[float, ...]:
    """Rising levels between 0 and 1.

    >>> levels_of("0.1, 0.5, 0.9")
    (0.1, 0.5, 0.9)
    >>> levels_of("0.9,0.1")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: levels is '0.9,0.1'; it must be rising numbers between 0 and 1, separated by commas, such as 0.1,0.5,0.9
    """
    try:
        levels = tuple(float(level) for level in text.split(","))
    except ValueError:
        levels = ()
    if not levels or not all(0.0 < level < 1.0 for level in levels) or any(high <= low for low, high in pairwise(levels)):
        raise BadRequest(f"levels is {text!r}; it must be rising numbers between 0 and 1, separated by commas, such as 0.1,0.5,0.9")
    return levels


def levels_or_none(text: str) -> tuple[float, ...]:
    """As ``levels_of``; an empty text has none, and stands for a forecast of the mean.

    >>> levels_or_none("0.5"), levels_or_none("")
    ((0.5,), ())
    """
    return levels_of(text) if text.strip() else ()


def columns_of(levels: tuple[float, ...]) -> tuple[str, ...]:
    """
    >>> columns_of((0.1, 0.25)), columns_of(())
    (('q_0.1', 'q_0.25'), ('value',))
    """
    return tuple(f"q_{level:g}" for level in levels) or ("value",)


def weighted_quantiles(values: np.ndarray, weight: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """The smallest value at or under which a share ``level`` of the weight lies, for each level.

    >>> weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0]), (0.25, 0.5, 0.9)).tolist()
    [1.0, 2.0, 3.0]
    """
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weight[order])
    at = np.searchsorted(cumulative, np.asarray(levels) * cumulative[-1] * (1 - 1e-12))
    return values[order][np.minimum(at, len(values) - 1)]


def spread_of(y: np.ndarray) -> float:
    """Interquartile range, the scale by which errors of numbers are measured; 1 where it is 0."""
    low, high = np.quantile(y, (0.25, 0.75))
    return float(high - low) or 1.0
