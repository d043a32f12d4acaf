"""Which later signal of its tag ends a position: an exit, or under ``reverse_on_opposite`` an entry on the other side."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.trading.signals import Columns


class Leaving(NamedTuple):
    """``number``: rows of the entries that a later signal ends; ``bar``: the bar that decides that signal; ``reversing``: whether it is an opposite entry."""

    number: np.ndarray
    bar: np.ndarray
    reversing: np.ndarray


def leaving(table: Columns, bar: np.ndarray, entry: np.ndarray, rows: np.ndarray, opened: np.ndarray, reverses: bool) -> Leaving:
    """The first exit, or opposite entry, of each entry's tag that is decided at the close of the bar in which it opened, or later; an exit goes before.

    ``rows``: the entries that are requested; ``opened``: the bar in which each would open.

    >>> table = dict(tag=pd.array(["a", "b", "a", "a"], dtype="str"), side=np.array([1, 1, -1, 1]))
    >>> entry = np.array([True, True, True, False])
    >>> leaving(table, np.array([0, 0, 4, 7]), entry, np.array([0, 1, 2]), np.array([1, 1, 5]), True)
    Leaving(number=array([0, 2]), bar=array([4, 7]), reversing=array([ True, False]))
    >>> leaving(table, np.array([0, 0, 4, 7]), entry, np.array([0, 1, 2]), np.array([1, 1, 5]), False).bar
    array([7, 7])
    """
    never = np.iinfo(np.int64).max
    tag, side = pd.factorize(np.asarray(table["tag"], object))[0].astype(np.int64), np.asarray(table["side"], np.int64)
    exits = _first(tag[~entry], bar[~entry], tag[rows], opened, never)
    against = np.full(len(rows), never)
    if reverses:
        against = _first(2 * tag[entry] + (side[entry] > 0), bar[entry], 2 * tag[rows] + (side[rows] < 0), opened, never)
    first = np.minimum(exits, against)
    ends = first < never
    return Leaving(rows[ends], first[ends], (against < exits)[ends])


def _first(group: np.ndarray, bar: np.ndarray, wanted: np.ndarray, since: np.ndarray, never: int) -> np.ndarray:
    """The first bar of each wanted group from ``since`` on; ``never`` where there is none."""
    if not len(bar) or not len(wanted):
        return np.full(len(wanted), never)
    order = np.lexsort((bar, group))
    width = int(max(bar.max(), since.max())) + 1
    keys = group[order] * width + bar[order]
    place = np.searchsorted(keys, wanted * width + since)
    inside = np.minimum(place, len(keys) - 1)
    return np.where((place < len(keys)) & (group[order][inside] == wanted), bar[order][inside], never)
