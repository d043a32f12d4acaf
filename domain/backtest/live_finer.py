"""Finer bars of a live account: those of each series until the bar ends in which they lie, then in one piece for the kernel."""

from __future__ import annotations

import numpy as np

from domain.backtest.live_account import LiveAccount
from domain.backtest.live_columns import grid

Finer = tuple[float, ...]       # ts, open, high, low, close, spread


class FinerBars:
    """``coming``: of each series, those whose bar has not ended."""

    def __init__(self, account: LiveAccount) -> None:
        self._account, self._used = account, 0
        self.coming: list[list[Finer]] = [[] for _ in account.tasks]

    def ended(self, k: int, b: int, span: tuple[int, int], high: float, low: float) -> None:
        """The bar at place ``b`` has ended; ``span``: its open and its end."""
        if not self.coming[k]:
            return
        inside, columns = [bar for bar in self.coming[k] if span[0] <= bar[0] < span[1]], self._account.window.columns
        self.coming[k] = [bar for bar in self.coming[k] if bar[0] >= span[1]]
        columns["finer_first"][k, b], columns["finer_last"][k, b] = self._used, self._used + len(inside)
        columns["finer_off"][k, b] = bool(inside) and self._differ(k, inside, high, low)
        self._write(inside)

    def free(self) -> None:
        """No bar that has ended waits to be worked."""
        self._used = 0

    @property
    def any(self) -> bool:
        return self._used > 0

    def _differ(self, k: int, inside: list[Finer], high: float, low: float) -> bool:
        furthest = max(abs(max(bar[2] for bar in inside) - high), abs(min(bar[3] for bar in inside) - low))
        return grid(furthest) > grid(float(self._account.tasks["tick"][k]))

    def _write(self, inside: list[Finer]) -> None:
        columns, first = self._account.finer, self._used
        self._used += len(inside)
        for place, name in enumerate(columns, 1):
            if self._used > len(columns[name]):
                columns[name] = np.concatenate([columns[name], np.zeros(2 * self._used - len(columns[name]))])
            columns[name][first : self._used] = [bar[place] for bar in inside]
        self._account.tell_finer()
