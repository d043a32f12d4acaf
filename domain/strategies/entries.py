"""What the strategies of the catalogue share: a market order when a condition begins, with its stop, and exits while another holds."""

from __future__ import annotations

import numpy as np

from domain.strategies.columns import Rows, begins, sided


def entered(
    close: np.ndarray, long: np.ndarray, short: np.ndarray, distance: np.ndarray, tag: str, *, target_r: float = 0.0, max_bars: int = 0, break_even_r: float = 0.0, by_side: bool = False,
) -> Rows:  # fmt: skip
    """Market orders at the bars on which ``long`` or ``short`` is true and was not on the bar before, with a stop ``distance`` from the close; see ``placed``.

    >>> rows = entered(np.array([1.0, 2.0, 3.0]), np.array([False, True, True]), np.zeros(3, bool), np.full(3, 0.5), "example", target_r=2.0)
    >>> rows["bar"].tolist(), rows["stop_loss"].tolist(), rows["target_r_1"], rows["tag"]
    ([1], [1.5], 2.0, 'example')
    """
    bar, side = sided(begins(long), begins(short))
    return placed(bar, side, close[bar] - side * distance[bar], tag, target_r=target_r, max_bars=max_bars, break_even_r=break_even_r, by_side=by_side)


def began(long: np.ndarray, short: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bars on which ``long`` or ``short`` is true and was not on the bar before, and the sides; none where ``distance``, that of the stop, is unknown."""
    bar, side = sided(begins(long), begins(short))
    if not len(bar):
        return bar, side
    known = ~np.isnan(distance[bar])
    return (bar, side) if known.all() else (bar[known], side[known])


def placed(bar: np.ndarray, side: np.ndarray, stop: np.ndarray, tag: str, *, target_r: float = 0.0, max_bars: int = 0, break_even_r: float = 0.0, by_side: bool = False) -> Rows:
    """Market orders with these stops; where a stop is unknown there is none. ``by_side``: longs and shorts are tagged apart, so that an exit leaves only
    those it speaks of. The others: see ``order_columns``."""
    if len(bar) and not (known := ~np.isnan(stop)).all():
        bar, side, stop = bar[known], side[known], stop[known]
    return dict(bar=bar, side=side, **order_columns(stop, tags(tag, side) if by_side else tag, target_r=target_r, max_bars=max_bars, break_even_r=break_even_r))


def order_columns(stop: np.ndarray, tag: str | np.ndarray, *, target_r: float = 0.0, max_bars: int = 0, break_even_r: float = 0.0) -> Rows:
    """What market orders with these stops ask for. ``target_r``, ``max_bars``, ``break_even_r``: 0 for none."""
    return dict(
        order="market",
        stop_loss=stop,
        target_r_1=target_r if target_r > 0 else np.nan,
        break_even_r=break_even_r if break_even_r > 0 else np.nan,
        max_bars=max_bars if max_bars > 0 else np.nan,
        tag=tag,
    )


def left(long: np.ndarray, short: np.ndarray, tag: str) -> tuple[Rows, Rows]:
    """Exits of longs on each bar on which ``long`` holds and of shorts on each on which ``short`` does; ``side`` is that of the position that leaves."""
    return _exits(long, 1, tag), _exits(short, -1, tag)


def _exits(condition: np.ndarray, side: int, tag: str) -> Rows:
    bar = np.flatnonzero(condition)
    sides = np.full(len(bar), side)
    return dict(bar=bar, side=sides, order="exit", tag=tags(tag, sides))


def tags(tag: str, side: np.ndarray) -> np.ndarray:
    """The tag of each side.

    >>> tags("correlation", np.array([1, -1])).tolist()
    ['correlation_long', 'correlation_short']
    """
    return np.where(side > 0, f"{tag}_long", f"{tag}_short")
