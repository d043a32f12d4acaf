"""What learners do to rows and labels before they fit."""

from __future__ import annotations

import numpy as np

from domain.errors import BadRequest
from domain.models.base import Samples


def checked_rows(rows: np.ndarray, columns: int) -> np.ndarray:
    """float32, n × columns, contiguous; another width is refused."""
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise BadRequest(f"rows have the shape {rows.shape}; this model wants n × {columns} columns")
    return rows


def outputs_of(samples: Samples) -> tuple[str, ...]:
    """Names of a learner's probabilities, or of its number.

    >>> zero = np.zeros(1, dtype=np.int64)
    >>> three = Samples(np.zeros((1, 1), np.float32), ("a",), zero, zero * 0.0, zero, zero, zero + 1.0, zero, zero, "classes", ("down", "flat", "up"))
    >>> outputs_of(three)
    ('p_down', 'p_flat', 'p_up')
    """
    if samples.task == "classes":
        return tuple(f"p_{name}" for name in samples.classes)
    return ("p",) if samples.task == "binary" else ("value",)


def shares(samples: Samples, added: float = 0.0) -> np.ndarray:
    """Weighted share of each output's class, after ``added`` samples more of each class: one number where y is yes or no."""
    count = len(samples.classes) if samples.task == "classes" else 2
    totals = np.bincount(samples.y.astype(np.int64), weights=samples.weight, minlength=count) + added
    share = totals / totals.sum()
    return share if samples.task == "classes" else share[1:]


def needs(samples: Samples, least: int, learner: str) -> None:
    """Too few samples are refused."""
    if len(samples) < least:
        raise BadRequest(f"{learner} needs at least {least} samples, there are {len(samples)}; take more data or a shorter horizon")
