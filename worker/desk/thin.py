"""Thinning of long series for charts, keeping the extremes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd


def thin(frame: pd.DataFrame, value: str, budget: int = 1_400) -> pd.DataFrame:
    """At most ``budget`` rows that keep each bucket's lowest and highest ``value``, and both ends.

    >>> thin(pd.DataFrame({"x": [0.0, 5.0, 1.0, 2.0, -4.0, 3.0]}), "x", 4)["x"].tolist()
    [0.0, 5.0, -4.0, 3.0]
    """
    if len(frame) <= budget:
        return frame
    x, buckets = frame[value].to_numpy(), budget // 2 - 1
    edges = np.linspace(0, len(x), buckets + 1).astype(int)
    keep = {0, len(x) - 1}
    for a, b in pairwise(edges):
        keep.update((a + int(np.argmin(x[a:b])), a + int(np.argmax(x[a:b]))))
    return frame.iloc[sorted(keep)]


def thinned(frame: pd.DataFrame, values: Sequence[str], budget: int = 1_400) -> pd.DataFrame:
    """The rows that ``thin`` keeps for any of ``values``, each once, in their order."""
    rows = frame.reset_index(drop=True)
    numbers = sorted(set().union(*(thin(rows[[value]], value, budget).index for value in values)))
    return rows.iloc[numbers].reset_index(drop=True)


def candles(bars: pd.DataFrame, budget: int = 220) -> pd.DataFrame:
    """Bars merged into at most ``budget`` candles: open first, high max, low min, close last; ``bars`` is how many each holds.

    >>> bars = pd.DataFrame({"ts": [1, 2, 3], "open": [1.0, 2, 3], "high": [2.0, 5, 4], "low": [0.5, 1, 2], "close": [2.0, 3, 2.5]})
    >>> candles(bars, 2)[["open", "high", "low", "close", "bars"]].values.tolist()
    [[1.0, 5.0, 0.5, 3.0, 2.0], [3.0, 4.0, 2.0, 2.5, 1.0]]
    """
    size = max(1, -(-len(bars) // budget))
    first = np.arange(0, len(bars), size)
    last = np.minimum(first + size, len(bars)) - 1
    merged = dict(
        ts=bars["ts"].iloc[first].reset_index(drop=True),
        open=bars["open"].to_numpy()[first],
        high=np.maximum.reduceat(bars["high"].to_numpy(), first) if len(first) else [],
        low=np.minimum.reduceat(bars["low"].to_numpy(), first) if len(first) else [],
        close=bars["close"].to_numpy()[last],
        bars=last - first + 1,
    )
    return pd.DataFrame(merged)
