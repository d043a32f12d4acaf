"""Stationary block bootstrap of whole days: which day stands at each place of each path."""

from __future__ import annotations

import numpy as np


def resampled_days(days: int, paths: int, horizon: int, block: float, draw: np.random.Generator) -> np.ndarray:
    """Indices of days, ``(horizon, paths)``, int32: blocks from random places, of geometric length with mean ``block``
    days, around the end to the start.

    Source: Politis & Romano (1994), The Stationary Bootstrap.

    >>> resampled_days(3, paths=2, horizon=4, block=1e12, draw=np.random.default_rng(5)).T.tolist()
    [[2, 0, 1, 2], [2, 0, 1, 2]]
    """
    starts = draw.integers(0, days, (horizon, paths), dtype=np.int32)
    if block <= 1.0:
        return starts
    fresh = draw.random((horizon, paths), dtype=np.float32) < 1.0 / block
    fresh[0] = True
    places = starts
    for day in range(1, horizon):
        on = places[day - 1] + 1
        on[on == days] = 0
        places[day] = np.where(fresh[day], starts[day], on)
    return places


def resampled_histories(days: int, histories: int, block: float, draw: np.random.Generator) -> np.ndarray:
    """Indices ``(histories, days)``: each row a history as long as the days themselves, drawn in the same blocks. What
    varies between figures of these histories is what the few days that there are leave open.

    >>> resampled_histories(5, histories=3, block=2.0, draw=np.random.default_rng(5)).shape
    (3, 5)
    """
    return np.ascontiguousarray(resampled_days(days, histories, days, block, draw).T)
