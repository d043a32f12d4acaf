"""The stop and targets of a trade, for drawing: the stop from the moves that the simulation reported, targets from the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def targets_of(plan: Mapping[str, Any], side: int, entry: float) -> list[tuple[str, float, float]]:
    """Name, price and share of the lots of each target of the order; ``side`` is +1 or -1.

    >>> targets_of({"target_r_1": 3.0, "fraction_1": 1.0, "stop_loss": 1.1}, 1, 1.2)
    [('target 1', 1.5, 1.0)]
    """
    risk, targets = abs(entry - _number(plan, "stop_loss")), []
    for k in range(1, 5):
        price, multiple = _number(plan, f"target_{k}"), _number(plan, f"target_r_{k}")
        price = entry + side * multiple * risk if np.isnan(price) else price
        if np.isfinite(price):
            targets.append((f"target {k}", round(price, 9), _number(plan, f"fraction_{k}")))
    return targets


def stop_path(first_stop: float, moved: Sequence[int], stops: Sequence[float], bars: int) -> np.ndarray:
    """The stop that was live in each of ``bars`` bars from the one of the fill on, from the moves that the simulation reported; NaN: none.

    ``moved``: bars, counted from that of the fill, at whose close the stop moved to ``stops``; it is live there from the next bar on.

    >>> stop_path(1.0, [1], [1.5], 4).tolist()
    [1.0, 1.0, 1.5, 1.5]
    """
    path = np.full(bars, first_stop)
    for bar, stop in zip(moved, stops, strict=True):
        path[bar + 1 :] = stop
    return path


def _number(plan: Mapping[str, Any], name: str, empty: float = np.nan) -> float:
    value = plan.get(name)
    return empty if value is None or np.isnan(value) else float(value)
