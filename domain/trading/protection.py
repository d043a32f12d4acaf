"""Where a trade's stop and targets stood, told again from how its order was protected. For drawing: what was filled is the kernel's word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def targets_of(plan: Mapping[str, Any], side: int, entry: float) -> list[tuple[str, float, float]]:
    """Name, price and share of the lots of each target of the order; ``side`` is +1 or -1.

    >>> targets_of({"target_r_1": 3.0, "fraction_1": 1.0, "stop_loss": 1.1}, 1, 1.2)
    [('target 1', 1.5, 1.0)]
    """
    risk, found = abs(entry - _number(plan, "stop_loss")), []
    for k in range(1, 5):
        price, multiple = _number(plan, f"target_{k}"), _number(plan, f"target_r_{k}")
        price = entry + side * multiple * risk if np.isnan(price) else price
        if np.isfinite(price):
            found.append((f"target {k}", round(price, 9), _number(plan, f"fraction_{k}")))
    return found


def stop_path(plan: Mapping[str, Any], side: int, entry: float, best: np.ndarray, atr: np.ndarray | None = None) -> np.ndarray:
    """The stop that was live in each bar from the one of the fill on, and in the one after the last; NaN: none.

    ``best``: the closing side's favourable extreme of each bar, in the bar of a stop or limit entry its close. ``atr``: of the same bars,
    for a trail by ATR. Break-even first, then the trail, at each close, only tighter (docs/execution.md, section 4). A trail along the
    strategy's own prices is not known here and left out.

    >>> stop_path({"stop_loss": 1.0, "break_even_r": 1.0}, 1, 1.5, np.array([1.75, 2.0, 2.5])).tolist()
    [1.0, 1.0, 1.5, 1.5]
    """
    path = np.empty(len(best) + 1)
    stop, anchor = _grid(_number(plan, "stop_loss")), np.nan
    risk = abs(entry - stop)
    reached, level = entry + side * _number(plan, "break_even_r") * risk, entry + side * _number(plan, "break_even_offset", 0.0)
    start = _number(plan, "trail_start_r", 0.0)
    begin = entry + side * start * risk if start else -side * np.inf
    for k, price in enumerate(best):
        path[k] = stop
        anchor = price if np.isnan(anchor) or side * (price - anchor) > 0 else anchor
        if side * (price - reached) >= 0:
            stop = _tighter(stop, level, side)
        if side * (anchor - begin) >= 0:
            stop = _tighter(stop, anchor - side * _distance(plan, anchor, np.nan if atr is None else atr[k]), side)
    path[-1] = stop
    return path


def _distance(plan: Mapping[str, Any], anchor: float, atr: float) -> float:
    """Of a trail to its anchor; NaN where it does not move."""
    value = _number(plan, "trail_value")
    return {"points": value, "percent": value / 100.0 * abs(anchor), "atr": value * atr}.get(str(plan.get("trail_kind") or ""), np.nan)


def _tighter(stop: float, level: float, side: int) -> float:
    level = _grid(level)
    return level if np.isfinite(level) and (np.isnan(stop) or side * (level - stop) > 0) else stop


def _grid(price: float) -> float:
    return float(np.rint(price * 1e9) / 1e9)


def _number(plan: Mapping[str, Any], name: str, empty: float = np.nan) -> float:
    value = plan.get(name)
    return empty if value is None or np.isnan(value) else float(value)
