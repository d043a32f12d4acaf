"""Samples with something to learn, for tests of learners."""

from __future__ import annotations

import numpy as np

from domain.models import Samples

CLASSES = ("down", "flat", "up")


def samples(task: str = "binary", count: int = 900, columns: int = 5, seed: int = 0) -> Samples:
    """Columns with gaps, the last one of few whole numbers; the label goes with the first two. Weights differ."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(count, columns)).astype(np.float32)
    matrix[:, -1] = random.integers(0, 4, count)
    score = matrix[:, 0] - matrix[:, 1] ** 2 + random.normal(size=count)
    matrix[random.random(matrix.shape) < 0.08] = np.nan
    y = dict(binary=score > -1, classes=np.digitize(score, [-2.0, 0.0]), number=1e-3 * score)[task].astype(np.float64)
    at = np.arange(count)
    start, end = at * 10, at * 10 + 55
    return Samples(matrix, tuple("abcdefgh"[:columns]), at, y, start, end, random.uniform(0.5, 1.5, count), at * 0, at * 0, task, CLASSES if task == "classes" else ())  # type: ignore[arg-type]
