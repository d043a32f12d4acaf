"""The bars that the kernel still reads: a short window of each series, in the flat arrays of a whole run."""

from __future__ import annotations

import numpy as np

PLACES = 32     # bars of a series, at first
KINDS = {       # one number a bar
    **dict.fromkeys(("ts", "end", "signal_first", "signal_last", "finer_first", "finer_last"), np.int64),
    **dict.fromkeys(("open", "high", "low", "close", "spread", "sigma", "trail_price"), np.float64),
    **dict.fromkeys(("nights_before", "nights_in", "warn", "finer_off"), np.int8),
}
TABLES = {"atr": np.float64, "flat_at": np.int64, "shut_at": np.int64, "rho": np.float64}       # a row a window, a flat_by, two instruments


class Window:
    """Columns of ``series`` x ``places``; those of ``TABLES`` have rows of that. A bar's number is its place in the flat array."""

    def __init__(self, series: int, rows: dict[str, int]) -> None:
        self.series, self.places = series, PLACES
        self.rows = {name: max(rows.get(name, 0), 1) for name in TABLES}
        self.count = [0] * series               # bars of each series, opened or ended
        self.columns: dict[str, np.ndarray] = {}
        self._allocate(self.places)

    @property
    def bars(self) -> int:
        return self.series * self.places

    def first(self, k: int) -> int:
        return k * self.places

    def flat(self, name: str) -> np.ndarray:
        return self.columns[name].reshape(-1)

    def is_full(self, k: int) -> bool:
        return self.count[k] == self.places

    def drop(self, k: int, bars: int) -> None:
        """The first ``bars`` of a series leave; those after them move forward."""
        kept = self.count[k] - bars
        for column in self.columns.values():
            column[..., k, :kept] = column[..., k, bars : bars + kept].copy()
        self.count[k] = kept

    def grow(self) -> int:
        """Twice as many places; returns how many there were."""
        before = self.places
        self._allocate(2 * before)
        return before

    def add_row(self, *names: str) -> int:
        """One more row of these tables; returns its number."""
        row = self.rows[names[0]]
        for name in names:
            self.rows[name] = row + 1
        self._allocate(self.places)
        return row

    def make_rows(self, count: list[int], **rows: int) -> None:
        """Places for so many bars of each series, and so many rows of these tables."""
        while self.places < max(count):
            self.places *= 2
        self.rows |= {name: max(number, 1) for name, number in rows.items()}
        self.count = list(count)
        self._allocate(self.places)

    def _allocate(self, places: int) -> None:
        """New arrays with what the old ones hold."""
        old, self.places = self.columns, places
        shapes = {**{name: (self.series, places) for name in KINDS}, **{name: (self.rows[name], self.series, places) for name in TABLES}}
        self.columns = {name: _empty(shape, {**KINDS, **TABLES}[name]) for name, shape in shapes.items()}
        for name, column in old.items():
            self.columns[name][tuple(slice(0, size) for size in column.shape)] = column


def _empty(shape: tuple[int, ...], kind: type) -> np.ndarray:
    return np.full(shape, np.nan) if kind is np.float64 else np.zeros(shape, kind)
