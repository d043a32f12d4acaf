"""Ranks: a column is sorted once, and ranks within any rows or groups of rows come from that order without sorting again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranked:
    """``order``: the rows that have a value, lowest first. ``level``: for each row the number of its distinct value from 0, −1 for none."""

    order: np.ndarray
    level: np.ndarray

    @property
    def valid(self) -> np.ndarray:
        return self.level >= 0


def rank(values: np.ndarray) -> Ranked:
    """The order of the finite values.

    >>> rank(np.array([3.0, np.nan, 1.0, 3.0])).level.tolist()
    [1, -1, 0, 1]
    """
    values = np.asarray(values, float)
    rows = np.flatnonzero(np.isfinite(values))
    order = rows[np.argsort(values[rows])].astype(np.int32)
    level = np.full(len(values), -1, np.int32)
    level[order] = np.cumsum(_begins(values[order])) - 1
    return Ranked(order, level)


def ranks(ranked: Ranked, groups: np.ndarray) -> np.ndarray:
    """Rank from 1 within the rows of the same group, ties at their mean; NaN without a value or where the group is below 0.

    >>> ranks(rank(np.array([3.0, 9.0, 1.0, 3.0])), np.array([0, 1, 0, 0])).tolist()
    [2.5, 1.0, 1.0, 2.5]
    """
    rows, place, _ = _placed(ranked, groups)
    result = np.full(len(ranked.level), np.nan)
    result[rows] = place
    return result


def scores(ranked: Ranked, groups: np.ndarray) -> np.ndarray:
    """Ranks within each group, less their mean and in units of their standard deviation; 0 where there is no rank, NaN where all are tied.

    >>> scores(rank(np.array([1.0, 2.0, np.nan])), np.zeros(3, int)).tolist()
    [-1.0, 1.0, 0.0]
    """
    rows, place, size = _placed(ranked, groups)
    filled = np.flatnonzero(size)
    ends = np.cumsum(size[filled])
    score = np.zeros(len(ranked.level))
    for first, last in zip(ends - size[filled], ends, strict=True):
        apart = place[first:last] - (last - first + 1) / 2
        spread = np.sqrt(apart @ apart / (last - first))
        score[rows[first:last]] = apart / (spread if spread > 0 else np.nan)
    return score


def bins(ranked: Ranked, within: np.ndarray, count: int) -> np.ndarray:
    """Which of ``count`` bins of equal frequency each row of ``within`` lies in, from 0; −1 for none. Equal values share a bin, so some may stay empty.

    >>> bins(rank(np.array([4.0, 1.0, 2.0, 3.0])), np.ones(4, bool), 2).tolist()
    [1, 0, 0, 1]
    """
    rows = ranked.valid & within
    rank_of = ranks(ranked, np.where(rows, 0, -1))
    placed = np.full(len(rank_of), -1, np.int64)
    placed[rows] = np.minimum((rank_of[rows] - 0.5) * count / max(rows.sum(), 1), count - 1)
    return placed


def within_instruments(values: np.ndarray, instruments: np.ndarray) -> np.ndarray:
    """Share of its own instrument's values below each and half of those equal to it, so that instruments of other units can stand in one column; NaN stays.

    >>> within_instruments(np.array([1.0, 2.0, 100.0, 300.0]), np.array([0, 0, 1, 1])).tolist()
    [0.25, 0.75, 0.25, 0.75]
    """
    rank_of = ranks(rank(values), instruments)
    valid = np.isfinite(rank_of)
    size = np.bincount(instruments[valid], minlength=int(instruments.max(initial=0)) + 1)
    return (rank_of - 0.5) / np.maximum(size, 1)[instruments]


def _placed(ranked: Ranked, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that have a value and a group, by group, in it by value; the rank of each; and the sizes of the groups."""
    rows, group = _in_groups(ranked, groups)
    size = np.bincount(group) if len(group) else np.zeros(1, np.int64)
    place = np.arange(1.0, len(rows) + 1)
    if np.count_nonzero(size) > 1:
        place -= np.repeat(np.cumsum(size) - size, size)
    starts = np.flatnonzero(_begins(ranked.level[rows]) | _begins(group))
    if len(starts) < len(rows):
        ties = np.diff(np.append(starts, len(rows)))
        place = np.repeat(place[starts] + (ties - 1) / 2, ties)
    return rows, place, size


def _in_groups(ranked: Ranked, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that have a value and a group: by group, in it by value."""
    group = groups[ranked.order]
    if len(group) and group.min() >= 0 and group.max() == group.min():
        return ranked.order, group
    rows, group = ranked.order[group >= 0], group[group >= 0]
    if not len(group) or group.max() == group.min():
        return rows, group
    by_group = np.argsort(group.astype(np.int16) if group.max() < 1 << 15 else group, kind="stable")
    return rows[by_group], group[by_group]


def _begins(values: np.ndarray) -> np.ndarray:
    """Where a value is not the one before it."""
    return np.concatenate((np.ones(min(len(values), 1), bool), values[1:] != values[:-1]))
