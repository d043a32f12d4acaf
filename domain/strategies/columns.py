"""Strategies that decide on plain numpy columns: the same rule for a whole history and for the last rows of one that grows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from domain.features import Use
from domain.features.base import BAR_COLUMNS

Columns = Mapping[str, np.ndarray]      # by name: a float64 a bar, NaN where there is none; those of the bars, and of the features by ``Use.column``
Rows = dict[str, Any]                   # ``bar``, the row of the deciding bar, ascending; the other columns of a signal, an array or one value for all


class OnColumns:
    """Base of a strategy that decides on columns: it has ``features``, ``memory`` and ``decisions``; ``signals`` comes by itself.

    ``memory``: so many of the latest rows, bars and features beside them, decide the last one; it may be a property of the parameters.
    ``decisions``: the signals of all rows, from columns alone; several sets of rows where they differ in their columns, of which at one bar the earlier
    set's come first. It is called with the whole history, and live with the last ``memory`` rows.

    A strategy some of whose parameters move no decision, only stops, targets and the like, names them in ``protection`` and has ``entries`` and ``protected`` in the
    place of ``decisions``: combinations of a sweep that differ in nothing else decide once. Neither ``entries`` nor ``features`` may read a parameter named there.
    """

    memory: int = 1
    protection: tuple[str, ...] = ()

    def features(self) -> tuple[Use, ...]:
        """Each strategy's own."""
        raise NotImplementedError

    def decisions(self, columns: Columns) -> Rows | tuple[Rows, ...]:
        """Each strategy's own, where it has no ``entries``."""
        bar, side = self.entries(columns)
        return dict(bar=bar, side=side, **self.protected(columns, bar, side))

    def entries(self, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
        """The rows that decide an entry, ascending, and the side of each."""
        raise NotImplementedError

    def protected(self, columns: Columns, bar: np.ndarray, side: np.ndarray) -> Rows:
        """The other columns of its signals at these entries."""
        raise NotImplementedError

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its features' columns, in the order of ``features``."""
        return tuple(use.column for use in self.features())

    def inputs(self, columns: Columns) -> list[np.ndarray]:
        """The columns of its features, in the order of ``features``."""
        return [columns[name] for name in self.names]

    def signals(self, frame: pd.DataFrame) -> pd.DataFrame:
        decided = self.decisions(columns_of(frame))
        rows = joined(*decided) if isinstance(decided, tuple) else decided
        bar = rows["bar"]
        return pd.DataFrame({"ts": frame["ts"].array[bar], **{name: value for name, value in rows.items() if name != "bar"}}, index=bar)


def columns_of(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns of a frame but its times; volume and spread, where it has none, are NaN.

    >>> columns_of(pd.DataFrame({"close": [1.0, 2.0]}))["volume"].tolist()
    [nan, nan]
    """
    columns = {str(name): frame[name].to_numpy() for name in frame if name != "ts"}
    for name in BAR_COLUMNS[4:]:
        if name not in columns:
            columns[name] = np.full(len(frame), np.nan)
    return columns


def begins(condition: np.ndarray) -> np.ndarray:
    """Where a condition is true and was not on the bar before. The bar before the first is unknown, and unknown is not true.

    >>> begins(np.array([True, True, False, True])).tolist()
    [True, False, False, True]
    """
    output = condition.copy()
    output[1:] &= ~condition[:-1]
    return output


def sided(long: np.ndarray, short: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows at which one of two conditions holds, and 1 where it is ``long``, −1 where it is ``short``; where both hold, ``long``.

    >>> [part.tolist() for part in sided(np.array([False, True, False]), np.array([True, False, False]))]
    [[0, 1], [-1, 1]]
    """
    bar = (long | short).nonzero()[0]
    return bar, np.where(long[bar], 1, -1) if len(bar) else bar


def joined(*parts: Rows) -> Rows:
    """Several sets of rows as one, by bar; of those at one bar the earlier set's come first. A column that a set does not have is empty in its rows.

    >>> joined(dict(bar=np.array([2]), side=1, order="exit"), dict(bar=np.array([1, 2]), side=-1, stop_loss=0.5))["stop_loss"].tolist()
    [0.5, nan, 0.5]
    """
    names = dict.fromkeys(name for part in parts for name in part)
    if not any(len(part["bar"]) for part in parts):
        return {name: next(part[name] for part in parts if name in part) for name in names}
    bar = np.concatenate([part["bar"] for part in parts])
    order = np.argsort(bar, kind="stable")
    return {name: np.concatenate([_column(part, name) for part in parts])[order] if name != "bar" else bar[order] for name in names}


def _column(part: Rows, name: str) -> np.ndarray:
    count = len(part["bar"])
    value = part.get(name)
    if value is None:
        return np.full(count, "" if name in TEXT else np.nan)
    return value if isinstance(value, np.ndarray) else np.full(count, value)


TEXT = ("order", "instrument", "trail_kind", "flat_by", "tag", "oco")
