"""Break-even and trails, at the close (section 4, step 3)."""

from __future__ import annotations

import math

from tests.reference.bars import Bar, on_grid, reaches_up
from tests.reference.orders import Position


def protect(position: Position, bar: Bar) -> None:
    """Break-even first, then the trail; both live from the next bar."""
    extreme = position.extreme(bar)
    if position.anchor is None or not reaches_up(position.anchor, extreme, position.side):
        position.anchor = extreme
    _break_even(position, extreme)
    _trail(position, bar)


def _break_even(position: Position, extreme: float) -> None:
    """``break_even = (trigger_R, offset)``: once the favourable extreme of a bar has reached the trigger, entry ± offset."""
    signal = position.signal
    if signal.break_even_r is not None and reaches_up(extreme, position.r_level(signal.break_even_r), position.side):
        _tighten(position, on_grid(position.first_price + position.side * signal.break_even_offset), "break_even")


def _trail(position: Position, bar: Bar) -> None:
    """Anchor ∓ distance, once the anchor has gone ``trail_start_r`` R; NaN: no move."""
    signal = position.signal
    if not signal.trail_kind or (
        signal.trail_start_r > 0 and not reaches_up(position.anchor, position.r_level(signal.trail_start_r), position.side)
    ):
        return
    level = _quantile(position, bar) if signal.trail_kind == "quantile" else position.anchor - position.side * _distance(position, bar)
    if not math.isnan(level):
        _tighten(position, on_grid(level), "trail")


def _quantile(position: Position, bar: Bar) -> float:
    """The price the strategy gives for bar *t*."""
    prices = position.series.task.trail_price
    return math.nan if prices is None else float(prices[bar.number])


def _distance(position: Position, bar: Bar) -> float:
    """``points`` price units; ``percent`` of |anchor|; ``atr`` k × Wilder ATR(n) of the series at *t*."""
    signal = position.signal
    if signal.trail_kind == "points":
        return signal.trail_value
    if signal.trail_kind == "percent":
        return abs(position.anchor) * signal.trail_value / 100
    return signal.trail_value * position.series.atr(signal.trail_window, bar.number)


def _tighten(position: Position, level: float, reason: str) -> None:
    """A stop moves only if the new level is strictly tighter; what moved it last gives the reason. An empty one is set."""
    if position.stop is None or level * position.side > position.stop * position.side:
        position.stop, position.stop_reason = level, reason
