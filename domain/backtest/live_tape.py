"""The bars that have ended, for rules and signals that look back further than the kernel does."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from domain.backtest.series import Bars

Tape = Callable[[int, int | None], Bars]            # number of a series, how many (None: all) -> its last bars that have ended, in order
KINDS = dict(zip(Bars._fields, "qqddddd", strict=True))


class OwnTape:
    """All bars, in memory: for an account that is given no tape."""

    def __init__(self, series: int) -> None:
        self._columns: list[list[Any]] = [[array(kind) for kind in KINDS.values()] for _ in range(series)]

    def add(self, k: int, *bar: float) -> None:
        for column, value in zip(self._columns[k], bar, strict=True):
            column.append(value)

    def __call__(self, k: int, last: int | None) -> Bars:
        """
        >>> tape = OwnTape(1)
        >>> tape.add(0, 1, 2, 1.0, 1.5, 0.5, 1.2, 0.1)
        >>> tape(0, None).close.tolist()
        [1.2]
        """
        columns = self._columns[k]
        first = 0 if last is None else max(len(columns[0]) - last, 0)
        return Bars(*(np.array(column[first:], np.int64 if column.typecode == "q" else np.float64) for column in columns))


def together(earlier: Bars, later: Bars) -> Bars:
    """Bars before the first of ``later``, then those."""
    if not len(later.ts):
        return earlier
    before = earlier.ts < later.ts[0]
    return Bars(*(np.concatenate([a[before], b]) for a, b in zip(earlier, later, strict=True)))
