"""Bars before the traded period: features use them, no signal is decided on them, and the result reports their number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.trading.signals import Columns


@dataclass(frozen=True)
class History:
    """``bars``: instrument -> number of bars before the period. ``needed``: bars that pass before every feature of the strategy has a value."""

    bars: Mapping[str, int]
    needed: int

    @property
    def sentence(self) -> str:
        """
        >>> History({"EURUSD": 500}, 80).sentence
        'Features used 500 bars of history before the period; the strategy needs 80.'
        >>> History({"EURUSD": 30}, 80).sentence
        'Features used 30 bars of history before the period; the strategy needs 80, so it cannot decide on the first 50 bars.'
        """
        counts = set(self.bars.values())
        used = f"{counts.pop():,}" if len(counts) == 1 else listed((f"{count:,} of {name}" for name, count in self.bars.items()), 12)
        short = self.needed - min(self.bars.values(), default=0)
        cold = f", so it cannot decide on the first {short:,} bars" if short > 0 else ""
        return f"Features used {used if any(self.bars.values()) else 'no'} bars of history before the period; the strategy needs {self.needed:,}{cold}."

    def plain(self) -> dict[str, Any]:
        return dict(bars=dict(self.bars), needed=self.needed, sentence=self.sentence)


def split(bars: pd.DataFrame, start: pd.Timestamp | None, end: pd.Timestamp | None, name: str = "the file") -> tuple[pd.DataFrame | None, pd.DataFrame]:
    """Bars before ``start`` (None: no start), and those with ``start <= ts < end``."""
    first = 0 if start is None else int(bars["ts"].searchsorted(start))
    last = len(bars) if end is None else int(bars["ts"].searchsorted(end))
    if first >= last:
        edges = f" It has bars from {bars['ts'].iloc[0]:%Y-%m-%d %H:%M} to {bars['ts'].iloc[-1]:%Y-%m-%d %H:%M}." if len(bars) else ""
        raise BadRequest(f"{name} has no bar in the chosen period.{edges} Choose a period within the available data")
    if first == 0 and last == len(bars):
        return None, bars
    return bars.iloc[:first].reset_index(drop=True) if first else None, bars.iloc[first:last].reset_index(drop=True)


def after(columns: Columns, trail: np.ndarray | None, before: int, start: pd.Timestamp) -> tuple[Columns, np.ndarray | None]:
    """Signals decided from ``start`` on, and the trailing prices of the bars from there on; ``before`` bars precede it."""
    late = columns["ts"].as_unit("ns").asi8 >= start.value
    decided = columns if late.all() else {name: column[late] for name, column in columns.items()}
    return decided, None if trail is None else trail[before:]
