"""Which samples may not stand beside a test: those whose spans touch it, or come too near to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

HOUR = 3_600_000_000_000        # nanoseconds


class Hull(NamedTuple):
    """The stretch of time that a block of samples covers, both ends included: first start to last end, ns UTC."""

    start: int
    end: int


def hull_of(start: np.ndarray, end: np.ndarray) -> Hull:
    """
    >>> hull_of(np.array([3, 5]), np.array([9, 6]))
    Hull(start=3, end=9)
    """
    return Hull(int(start.min()), int(end.max()))


def touches(start: np.ndarray, end: np.ndarray, hull: Hull) -> np.ndarray:
    """Whether each span [start, end] has an instant in common with the hull; both are closed, so to meet in one instant is to touch.

    >>> touches(np.array([0, 0, 7]), np.array([2, 3, 8]), Hull(3, 6)).tolist()
    [False, True, False]
    """
    return (start <= hull.end) & (end >= hull.start)


def follows(start: np.ndarray, hull: Hull, embargo: int) -> np.ndarray:
    """Whether each span starts after the hull, by ``embargo`` nanoseconds at the most.

    >>> follows(np.array([6, 7, 8, 9]), Hull(3, 6), 2).tolist()
    [False, True, True, False]
    """
    return (start > hull.end) & (start - hull.end <= embargo)


def precedes(end: np.ndarray, hull: Hull, embargo: int) -> np.ndarray:
    """Whether each span ends before the hull, by ``embargo`` nanoseconds at the most.

    >>> precedes(np.array([0, 1, 2, 3]), Hull(3, 6), 2).tolist()
    [False, True, True, False]
    """
    return (end < hull.start) & (hull.start - end <= embargo)
