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
    """Columns of ``series`` x ``places``; those of ``TABLES`` have rows of that. A bar's number is its place in the flat array.

    They lie one behind another: ``words`` holds the columns of 8 bytes, ``marks`` those of one."""

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

    def take_back(self, k: int, words: np.ndarray, marks: np.ndarray) -> None:
        """The bars of a series as they were stored."""
        for block, own in ((self.words, words), (self.marks, marks)):
            block[:, k, : self.count[k]] = own.reshape(len(block), self.count[k])

    def drop(self, k: int, bars: int) -> None:
        """The first ``bars`` of a series leave; those after them move forward."""
        kept = self.count[k] - bars
        for block in (self.words, self.marks):
            block[:, k, :kept] = block[:, k, bars : bars + kept].copy()
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

    def make_rows(self, places: int, count: list[int], **rows: int) -> None:
        """So many places for the bars of each series, of which so many are there, and so many rows of these tables."""
        self.rows |= {name: max(number, 1) for name, number in rows.items()}
        self.count = list(count)
        self._allocate(places)

    def _allocate(self, places: int) -> None:
        """New arrays with what the old ones hold."""
        old, self.places = self.columns, places
        wide = [name for name, kind in KINDS.items() if kind is not np.int8]
        self.words = np.zeros((len(wide) + sum(self.rows.values()), self.series, places), np.int64)
        self.marks = np.zeros((len(KINDS) - len(wide), self.series, places), np.int8)
        self.columns = dict(zip(wide, (self.words[row].view(KINDS[name]) for row, name in enumerate(wide)), strict=True))
        self.columns |= zip((name for name in KINDS if name not in wide), self.marks, strict=True)
        first = len(wide)
        for name, rows in self.rows.items():
            self.columns[name] = self.words[first : first + rows].view(TABLES[name])
            first += rows
        for name, column in self.columns.items():
            if column.dtype == np.float64:
                column[...] = np.nan
            if name in old:
                column[tuple(slice(0, size) for size in old[name].shape)] = old[name]
