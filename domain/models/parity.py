"""Whether a model gives as ONNX what it gives by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from domain.errors import BadRequest
from domain.models.base import Fitted

PROBABILITY, NUMBER = 1e-6, 1e-5       # largest differences: of a probability, and of a number in interquartile ranges of the labels
UNKNOWN, BESIDE, BATCH = 200, 2, 50_000  # rows with NaN in each column, rows about each threshold, rows at once


def parity(fitted: Fitted, rows: np.ndarray, y: np.ndarray | None = None) -> tuple[float, bool]:
    """The largest difference between ONNX and the model on ``rows`` and on rows made of them, and whether it is small enough.

    Made of them: NaN in each column, and for trees each split threshold and one float32 step beside it. Small enough: 1e-6 for probabilities; for
    numbers 1e-5 of the interquartile range of the labels ``y``, or of those of training where ``y`` is not given. A model without ONNX is refused.
    """
    model = fitted.onnx()
    if model is None:
        raise BadRequest("this model has no ONNX, since its operators do not exist there; use it by itself")
    session = session_of(model)
    largest = 0.0
    tried = probes(fitted, np.ascontiguousarray(rows, dtype=np.float32))
    for start in range(0, len(tried), BATCH):
        batch = tried[start : start + BATCH]
        largest = max(largest, float(np.max(_difference(served(session, batch), fitted.predict(batch)), initial=0.0)))
    return largest, largest <= allowed(fitted, y)


def allowed(fitted: Fitted, y: np.ndarray | None = None) -> float:
    """The largest difference that passes."""
    from domain.models.levels import spread_of

    if all(output == "p" or output.startswith("p_") for output in fitted.outputs):
        return PROBABILITY
    return NUMBER * (getattr(fitted, "spread", 1.0) if y is None else spread_of(y[np.isfinite(y)]))


def probes(fitted: Fitted, rows: np.ndarray) -> np.ndarray:
    """``rows`` and rows made of them that find where two ways through a model part."""
    splits = fitted.splits() if hasattr(fitted, "splits") else []
    return np.concatenate([rows, *unknown(rows), *beside(rows, splits)])


def unknown(rows: np.ndarray) -> list[np.ndarray]:
    """Rows with NaN in a column, for each column; in sequences in its last bar and in all of them, and rows that know nothing."""
    some = rows[:: max(1, len(rows) // UNKNOWN)][:UNKNOWN]
    parts = [np.full_like(some[:1], np.nan)]
    for column in range(rows.shape[-1]):
        for place in ((...,), (slice(None), -1))[: rows.ndim - 1]:
            part = some.copy()
            part[(*place, column)] = np.nan
            parts.append(part)
    return parts


def beside(rows: np.ndarray, splits: list[tuple[int, float]]) -> list[np.ndarray]:
    """Rows that lie on each threshold and one float32 step on either side of it, the other columns as they are in some row."""
    parts = []
    for number, (column, threshold) in enumerate(splits):
        with np.errstate(over="ignore"):
            on = np.float32(threshold)
        if np.isfinite(on):
            part = rows[(number + np.arange(3 * BESIDE)) % len(rows)].copy()
            part[:, column] = np.repeat([np.nextafter(on, np.float32(-np.inf)), on, np.nextafter(on, np.float32(np.inf))], BESIDE)
            parts.append(part)
    return parts


def session_of(model: bytes) -> Any:
    """An ONNX session on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def served(session: Any, rows: np.ndarray) -> np.ndarray:
    """float64 n × outputs, by ONNX."""
    return np.asarray(session.run(["outputs"], {"rows": np.ascontiguousarray(rows, dtype=np.float32)})[0], dtype=np.float64)


def _difference(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Absolute differences; two NaN are alike, one is infinitely far."""
    alike = np.isnan(left) & np.isnan(right)
    return np.where(alike, 0.0, np.nan_to_num(np.abs(left - right), nan=np.inf))
