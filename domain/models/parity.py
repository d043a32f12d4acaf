"""Whether a model gives as ONNX what it gives by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from domain.errors import BadRequest
from domain.models.base import Fitted
from domain.models.levels import spread_of
from domain.models.served import Served

PROBABILITY, NUMBER = 1e-6, 1e-5       # largest differences: of a probability, and of a number in interquartile ranges of the labels
UNKNOWN, BESIDE = 200, 2               # rows with NaN in each column, rows on each threshold and on either side of it
BATCH = 20_000                         # rows at once, and thresholds


def parity(fitted: Fitted, rows: np.ndarray, y: np.ndarray | None = None, model: bytes | None = None) -> tuple[float, bool]:
    """The largest difference between ONNX and the model itself on ``rows`` and on rows made of them, and whether it is small enough.

    ``model``: the ONNX where it has been written already. Made of them: NaN in each column, and for trees each split threshold and one float32 step beside it. Small enough: 1e-6 for probabilities; for
    numbers 1e-5 of the interquartile range of the labels ``y``, or of those of training where ``y`` is not given. A model without ONNX is refused.
    """
    model = model or fitted.onnx()
    if model is None:
        raise BadRequest("this model has no ONNX, since its operators do not exist there; use it by itself")
    served, largest = Served(model, len(fitted.outputs)), 0.0
    for batch in probes(fitted, rows):
        largest = max(largest, float(np.max(differences(served.predict(batch), fitted.predict(batch)), initial=0.0)))
    return largest, largest <= allowed(fitted, y)


def allowed(fitted: Fitted, y: np.ndarray | None = None) -> float:
    """The largest difference that passes."""
    if all(output == "p" or output.startswith("p_") for output in fitted.outputs):
        return PROBABILITY
    return NUMBER * (getattr(fitted, "spread", 1.0) if y is None else spread_of(y[np.isfinite(y)]))


def probes(fitted: Fitted, rows: np.ndarray) -> Iterator[np.ndarray]:
    """``rows`` and rows made of them that find where two ways through a model part, in batches."""
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    if not len(rows):
        raise BadRequest("there are no rows to compare ONNX on; give rows that the model was not fitted to")
    yield from (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
    yield from unknown(rows)
    splits = fitted.splits() if hasattr(fitted, "splits") else []
    yield from (beside(rows, splits[start : start + BATCH]) for start in range(0, len(splits), BATCH))


def unknown(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Rows that know nothing, and rows with NaN in a column, for each column; in sequences in all bars, and in the last one alone."""
    some = rows[:: max(1, len(rows) // UNKNOWN)][:UNKNOWN]
    yield np.full_like(some[:1], np.nan)
    for column in range(rows.shape[-1]):
        for place in ((...,), (slice(None), -1))[: rows.ndim - 1]:
            part = some.copy()
            part[(*place, column)] = np.nan
            yield part


def beside(rows: np.ndarray, splits: Sequence[tuple[int, float]]) -> np.ndarray:
    """Rows that lie on each threshold and one float32 step on either side of it, the other columns as they are in some row; of sequences in their last bar."""
    columns, thresholds = np.array([column for column, _ in splits], dtype=np.int64), np.array([threshold for _, threshold in splits])
    with np.errstate(over="ignore"):
        on = thresholds.astype(np.float32)
    columns, on = columns[np.isfinite(on)], on[np.isfinite(on)]
    values = np.stack([np.nextafter(on, np.float32(-np.inf)), on, np.nextafter(on, np.float32(np.inf))], axis=1)
    part = rows[np.arange(3 * BESIDE * len(on)) % len(rows)].copy()
    (part if part.ndim == 2 else part[:, -1])[np.arange(len(part)), np.repeat(columns, 3 * BESIDE)] = np.repeat(values.ravel(), BESIDE)
    return part


def differences(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Absolute differences. Two NaN are alike; one is infinitely far.

    >>> differences(np.array([1.0, np.nan, 2.0]), np.array([1.5, np.nan, np.nan])).tolist()
    [0.5, 0.0, inf]
    """
    alike = np.isnan(left) & np.isnan(right)
    return np.where(alike, 0.0, np.nan_to_num(np.abs(left - right), nan=np.inf))
