"""The matrix that all folds share: a row a bar, instruments one below the other, a float32 column a feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.errors import BadRequest, listed
from domain.features import warm_up_of
from domain.features.engine import FeatureTable
from domain.training.inputs import Inputs

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Matrix:
    """``values``: float32, rows × columns. ``first``: each instrument's first row, and the end of the last. ``warm_up``: bars of each instrument before every
    column has a value. ``dropped``: names of the columns that hold no value at all; they are not among ``columns``."""

    values: np.ndarray
    columns: tuple[str, ...]
    first: np.ndarray
    warm_up: np.ndarray
    dropped: tuple[str, ...]


def matrix_of(inputs: Sequence[Inputs], own: Sequence[str] = (), further: int = 0, drop: bool = True) -> Matrix:
    """Columns of the bars of all instruments, each written once into its place. ``own``: names of columns that the caller fills, NaN until then; they come last.
    ``further``: rows below those of the bars, for the caller to fill. ``drop``: leave out columns that hold no value at all; where they stay, their warm-up counts too, so that later bars change no row.

    Raises BadRequest where the instruments do not have the same columns, or there is none.
    """
    names, rows = _names(inputs), [len(each.series.seen) for each in inputs]
    first = np.concatenate([[0], np.cumsum(rows)])
    values = np.full((int(first[-1]) + further, len(names) + len(own)), np.nan, np.float32)
    for each, start, end in zip(inputs, first[:-1], first[1:], strict=True):
        _fill(values[start:end], each)
    full = np.array([bool(np.isfinite(values[:, place]).any()) for place in range(len(names))], bool)
    dropped = tuple(name for name, holds in zip(names, full, strict=True) if not holds)
    if not drop:
        return Matrix(values, (*names, *own), first, np.array([_warm_up(each, ()) for each in inputs]), ())
    if len(dropped) == len(names):
        raise BadRequest(f"none of the {len(names)} columns holds a value on these bars: {listed(names)}; take others, or more bars")
    warm_up = np.array([_warm_up(each, dropped) for each in inputs])
    return Matrix(_without(values, full), (*(name for name in names if name not in dropped), *own), first, warm_up, dropped)


def _names(inputs: Sequence[Inputs]) -> list[str]:
    if not inputs:
        raise BadRequest("there is nothing to take samples from: give at least one series")
    names = [[*(use.column for use in each.uses), *each.extra] for each in inputs]
    if any(other != names[0] for other in names):
        raise BadRequest("the instruments do not have the same columns; pooled samples need the same of each")
    twice = sorted({name for name in names[0] if names[0].count(name) > 1})
    if twice:
        raise BadRequest(f"the columns {listed(twice)} are named twice; name each once")
    if not names[0]:
        raise BadRequest("there is no column to learn from: name a recipe or columns")
    return names[0]


def _fill(values: np.ndarray, inputs: Inputs) -> None:
    """Every column of one instrument. What does not fit into float32 is no value: NaN."""
    bars, table = inputs.series.seen, FeatureTable(inputs.series.seen, inputs.context, inputs.cache)
    for place, use in enumerate(inputs.uses):
        _put(values[:, place], table.column(use))
    ends = inputs.context.ends(bars) if inputs.extra else np.zeros(0, np.int64)
    for place, known in enumerate(inputs.extra.values(), start=len(inputs.uses)):
        _put(values[:, place], known.at(ends))


def _put(place: np.ndarray, column: np.ndarray) -> None:
    place[:] = np.where(np.abs(column) <= LARGEST, column, np.nan)


def _without(values: np.ndarray, full: np.ndarray) -> np.ndarray:
    """A view without the empty columns: the full ones move to the left in place, so that nothing is copied as a whole."""
    kept = [*np.flatnonzero(full).tolist(), *range(len(full), values.shape[1])]
    for place, column in enumerate(kept):
        if place != column:
            values[:, place] = values[:, column]
    return values[:, : len(kept)]


def _warm_up(inputs: Inputs, dropped: Sequence[str]) -> int:
    return max((warm_up_of(use, inputs.context) for use in inputs.uses if use.column not in dropped), default=0)
