"""Forecasts of samples whose columns were altered, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from domain.errors import BadRequest, unknown
from domain.models.base import Samples, Task
from domain.models.waiting import waited

Watch = Callable[[float], None]     # share of the work; it may raise to stop
STEPS = 16_384          # rows of history that are predicted at once
EDGE = 0.02             # of a column's values on either side that curves leave out
LEAST = 2               # different values that a column needs


class Forecaster(Protocol):
    """A fitted pipeline, or anything that gives outputs for samples."""

    @property
    def outputs(self) -> tuple[str, ...]: ...
    @property
    def bars(self) -> int: ...
    @property
    def task(self) -> Task: ...
    def raw(self, samples: Samples) -> np.ndarray: ...


class Alteration(Protocol):
    def __call__(self, windows: np.ndarray, rows: np.ndarray) -> None:
        """Alter windows (float32, samples × bars × columns) in place; ``rows``: which of the samples they are."""


@dataclass(frozen=True)
class Shuffled:
    """The history of a column of other samples in the place of the samples' own: sample i gets that of ``order[i]``."""

    samples: Samples
    order: np.ndarray
    column: int

    def __call__(self, windows: np.ndarray, rows: np.ndarray) -> None:
        others = self.samples.take(self.order[rows])
        only = replace(others, matrix=others.matrix[:, self.column : self.column + 1])
        windows[:, :, self.column] = only.window(windows.shape[1])[:, :, 0]


@dataclass(frozen=True)
class Put:
    """Columns of the deciding bar set to values, by the columns' places."""

    values: dict[int, float]

    def __call__(self, windows: np.ndarray, rows: np.ndarray) -> None:
        for column, value in self.values.items():
            windows[:, -1, column] = value


def as_they_are(windows: np.ndarray, rows: np.ndarray) -> None:
    """Alters nothing."""


def outputs_of(forecaster: Forecaster, samples: Samples, alteration: Alteration, watch: Watch, done: float) -> np.ndarray:
    """float64 n × outputs of the altered samples."""

    def on_progress(share: float, loss: float | None = None) -> None:
        watch(share)

    outputs = []
    for rows in batches(len(samples), forecaster.bars):
        watch(done)
        batch = samples.take(rows)
        windows = batch.window(forecaster.bars)
        alteration(windows, rows)
        outputs.append(waited(partial(forecaster.raw, laid_out(batch, windows)), on_progress, done))
    return np.concatenate(outputs)


def batches(count: int, bars: int) -> Iterator[np.ndarray]:
    size = max(1, STEPS // max(bars, 16))
    return (np.arange(first, min(first + size, count)) for first in range(0, count, size))


def laid_out(samples: Samples, windows: np.ndarray) -> Samples:
    """The samples on a matrix of their own, in which their windows lie one after another."""
    count, bars, columns = windows.shape
    first = np.arange(count) * bars
    return replace(samples, matrix=windows.reshape(count * bars, columns), at=first + bars - 1, first=first)


def spread(samples: Samples, most: int) -> Samples:
    """All samples, or ``most`` of them at even distances.

    >>> matrix, zero = np.zeros((9, 1), dtype=np.float32), np.zeros(9, dtype=np.int64)
    >>> spread(Samples(matrix, ("a",), np.arange(9), zero * 0.0, zero, zero, zero + 1.0, zero, zero), 3).at.tolist()
    [0, 4, 8]
    """
    if not len(samples):
        raise BadRequest("there are no test samples to explain; take a run whose folds have a test part")
    return samples.take(np.linspace(0, len(samples) - 1, min(most, len(samples))).astype(np.int64))


def place_of(samples: Samples, column: str) -> int:
    if column not in samples.columns:
        raise unknown("column", column, samples.columns)
    return samples.columns.index(column)


def grid_of(samples: Samples, column: int, points: int) -> np.ndarray:
    """float32, values of a column from its low quantile to its high one at even distances; its own values where it has few."""
    values = samples.matrix[samples.at, column]
    different = np.unique(values[np.isfinite(values)])
    if len(different) < LEAST:
        raise BadRequest(f"the column {samples.columns[column]} has {len(different)} different value{'s' if len(different) != 1 else ''} in these samples; a curve needs at least {LEAST}")
    if len(different) <= points:
        return different
    low, high = np.quantile(different if len(different) < 1 / EDGE else values[np.isfinite(values)], [EDGE, 1 - EDGE])
    return np.linspace(low, high, points).astype(np.float32) if low < high else different[np.linspace(0, len(different) - 1, points).astype(np.int64)]
