"""A strategy that decides bar by bar on ready columns: the signals of the last bar, read and checked, in microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from domain.strategies.columns import Columns, OnColumns
from domain.trading.signal_row import Row, read_row


def decide_last(strategy: OnColumns, columns: Columns) -> list[Row]:
    """The signals of the last row of ``columns``, which hold the last ``strategy.memory`` bars or more, with its features; in their order.

    They are those that the strategy gives at that bar from all bars. Empty on a bar that decides nothing. Raises BadRequest for a signal that
    ``read_signals`` refuses.

    >>> from domain.strategies.breakout import Breakout
    >>> breakout = Breakout(quiet=0.0)
    >>> ready = dict(zip(breakout.names, np.array([[1.10], [1.08], [0.001]]), strict=True)) | {"close": np.array([1.101])}
    >>> [(row["side"], round(row["stop_loss"], 5), row["target_r_1"]) for row in decide_last(breakout, ready)]
    [(1, 1.099, 3.0)]
    """
    last, signals = len(columns["close"]) - 1, []
    if type(strategy).decisions is OnColumns.decisions:
        bar, side = strategy.entries(columns)
        if not len(bar) or bar[-1] != last:
            return []
        decided: Any = dict(bar=bar, side=side, **strategy.protected(columns, bar, side))
    else:
        decided = strategy.decisions(columns)
    for rows in decided if isinstance(decided, tuple) else (decided,):
        bar = rows["bar"]
        place = len(bar) - 1
        while place >= 0 and bar[place] == last:
            place -= 1
        signals += [read_row(_row(rows, each)) for each in range(place + 1, len(bar))]
    return signals


def _row(rows: Mapping[str, Any], place: int) -> Row:
    """One of them, in plain values; a column that is empty in it is left out."""
    row = {}
    for name, value in rows.items():
        if name == "bar":
            continue
        if isinstance(value, np.ndarray):
            value = value[place].item()
        if value == value:
            row[name] = value
    return row
