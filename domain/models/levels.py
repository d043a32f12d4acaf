"""Levels of quantiles, and quantiles of weighted labels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from domain.errors import BadRequest

MOST = 99


def levels_of(text: str) -> tuple[float, ...]:
    """Levels from a list such as "0.1,0.5,0.9": ascending, each between 0 and 1 and once. An empty text has none.

    >>> levels_of("0.1, 0.5,0.9"), levels_of("")
    ((0.1, 0.5, 0.9), ())
    >>> levels_of("0.9,0.1")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: levels are '0.9,0.1'; they must be numbers between 0 and 1, ascending and at most 99, such as 0.1,0.5,0.9
    """
    try:
        levels = tuple(float(word) for word in text.split(",")) if text.strip() else ()
    except ValueError:
        levels = (np.nan,)
    ascending = all(low < high for low, high in pairwise(levels))
    if not (ascending and all(0 < level < 1 for level in levels) and len(levels) <= MOST):
        raise BadRequest(f"levels are {text!r}; they must be numbers between 0 and 1, ascending and at most {MOST}, such as 0.1,0.5,0.9")
    return levels


def some_levels_of(text: str) -> tuple[float, ...]:
    """As ``levels_of``, but not none."""
    levels = levels_of(text)
    if not levels:
        raise BadRequest("levels are empty; name at least one, such as 0.1,0.5,0.9")
    return levels


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
