"""The latest rows of the columns of many series, in memory: what strategies read that decide bar by bar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np


class Rings:
    """``keep`` rows of every column of every series, the newest last. All columns are float64; times do not belong here.

    >>> rings = Rings(["close"], series=2, keep=3)
    >>> rings.append(1, {"close": 5.0})
    >>> rings.append(1, {"close": 6.0})
    >>> rings.latest(1, 2)["close"].tolist(), rings.blocks(2)["close"].tolist()
    ([5.0, 6.0], [nan, nan, 5.0, 6.0])
    """

    def __init__(self, names: Iterable[str], series: int, keep: int) -> None:
        self.names, self.keep = tuple(dict.fromkeys(names)), keep
        self.table = np.full((len(self.names), series, keep), np.nan)
        self.place = {name: k for k, name in enumerate(self.names)}

    def fill(self, k: int, columns: Mapping[str, np.ndarray]) -> None:
        """The last rows of whole columns; a column that is not given stays NaN."""
        for name, column in columns.items():
            if name in self.place:
                last = column[-self.keep :]
                self.table[self.place[name], k, self.keep - len(last) :] = last

    def append(self, k: int, row: Mapping[str, float]) -> None:
        own = self.table[:, k]
        own[:, :-1] = own[:, 1:]
        own[:, -1] = [row.get(name, np.nan) for name in self.names]

    def value(self, k: int, name: str) -> float:
        return float(self.table[self.place[name], k, -1])

    def latest(self, k: int, rows: int) -> Mapping[str, np.ndarray]:
        """The last ``rows`` rows of one series."""
        return Latest(self.place, self.table[:, k : k + 1, -rows:])

    def blocks(self, rows: int) -> Mapping[str, np.ndarray]:
        """The last ``rows`` rows of every series, one series after the other."""
        return Latest(self.place, self.table[:, :, -rows:])


class Latest(Mapping[str, np.ndarray]):
    """Columns that are cut out when they are read."""

    def __init__(self, place: Mapping[str, int], table: np.ndarray) -> None:
        self._place, self._table = place, table

    def __getitem__(self, name: str) -> np.ndarray:
        return self._table[self._place[name]].ravel()

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)
