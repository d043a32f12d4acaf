"""Stability of a feature's information over time: in rolling windows, by year, and under labels such as session and regime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features.sessions import SESSIONS, session_at
from domain.laboratory.information import View, association
from domain.laboratory.ranks import Ranked

LEAST = 100     # values, for a year to count in whether the sign holds


@dataclass(frozen=True)
class GroupLabels:
    """``group``: the number of each row's group, −1 for none; ``names``: what they are called."""

    group: np.ndarray
    names: tuple[str, ...]


def years(ts: np.ndarray) -> GroupLabels:
    """UTC years; ``ts`` in nanoseconds.

    >>> years(pd.to_datetime(["2023-12-31", "2024-01-01"]).as_unit("ns").view("int64")).names
    ('2023', '2024')
    """
    return labels_of(np.asarray(ts, np.int64).view("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970)


def sessions(ts: np.ndarray) -> GroupLabels:
    """The centre that deals when each bar opens, as the session regime has it."""
    return GroupLabels(session_at(np.asarray(ts, np.int64)), SESSIONS)


def labels_of(values: np.ndarray | pd.Series) -> GroupLabels:
    """Labels from anything that names a group; missing or empty is none.

    >>> labels_of(np.array(["calm", "", "wild", "calm"])).group.tolist()
    [0, -1, 1, 0]
    """
    codes, names = pd.factorize(pd.Series(values).replace("", None), sort=True)
    return GroupLabels(np.asarray(codes, np.int64), tuple(str(name) for name in names))


def by_label(feature: Ranked, views: Mapping[str, tuple[View, tuple[str, ...]]]) -> pd.DataFrame:
    """``label, group, count, ic, t, p``: the association within the rows of each group, ranked within it; see ``association``.
    ``views``: for each label the target in its groups, and their names."""
    tables = []
    for name, (view, names) in views.items():
        table = association(feature, view)
        table.insert(0, "group", list(names))
        table.insert(0, "label", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def windows(place: np.ndarray, target: Ranked, length: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """For each row the number of its window, −1 for none. Windows of ``length`` moments that have a target, each beginning half a window after the one before it, as two sets that do not overlap in
    themselves; with each the last moment of every window. What is left at the end, shorter than a window, has none."""
    if length < 2:
        raise BadRequest(f"a rolling window of {length} values; take at least 2")
    moments, at = np.unique(place[target.valid], return_inverse=True)
    sets = []
    for offset in (0, length // 2):
        count = max((len(moments) - offset) // length, 0)
        number = np.where(at >= offset, (at - offset) // length, -1)
        group = np.full(len(place), -1, np.int64)
        group[target.valid] = np.where(number < count, number, -1)
        last = moments[offset + length * np.arange(1, count + 1) - 1]
        sets.append((group, last))
    return tuple(sets)


def rolling(feature: Ranked, views: Sequence[tuple[View, np.ndarray]]) -> pd.DataFrame:
    """``last, count, ic, t, p`` of every window in the order of time; ``last`` is the number of its last moment."""
    tables = [association(feature, view).assign(last=last) for view, last in views if view.count]
    columns = ["last", "count", "ic", "t", "p"]
    return pd.concat(tables).sort_values("last", ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def agreement(by_year: pd.DataFrame, overall: float) -> tuple[int, int, int]:
    """Of the years with at least 100 values: how many there are, how many have the sign of the whole, how often the sign changes from one to the next.

    >>> agreement(pd.DataFrame(dict(count=[500, 500, 500], ic=[0.1, -0.1, 0.2])), 0.1)
    (3, 2, 2)
    """
    signs = np.sign(by_year["ic"].to_numpy(float)[by_year["count"].to_numpy() >= LEAST])
    signs = signs[np.isfinite(signs) & (signs != 0)]
    return len(signs), int((signs == np.sign(overall)).sum()), int((signs[1:] != signs[:-1]).sum())
