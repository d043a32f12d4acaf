"""Folds and their results written by hand, for tests of the judgement."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from domain.models.base import Samples
from domain.training.fold_result import FoldResult
from domain.training.question import Question

DAY = 86_400_000_000_000
BEGIN = pd.Timestamp("2020-01-06").value      # a Monday


def question(**given: Any) -> Question:
    request = dict(data=(), span=("2020", "2021"), target="win", target_params={}, learner="forest", learner_params={}, columns=("a",), strategy="breakout")
    return Question(**{**request, **given})


def sample_set(y: np.ndarray, r: np.ndarray | None = None, task: str = "binary", classes: tuple[str, ...] = (), hours: float = 6.0, span: float = 3.0) -> Any:
    """A sample each ``hours``, whose label is known ``span`` hours later."""
    n = len(y)
    start = BEGIN + (np.arange(n) * hours * DAY / 24).astype(np.int64)
    zero = np.zeros(n, np.int64)
    samples = Samples(np.zeros((n, 1), np.float32), ("a",), np.arange(n), np.asarray(y, float), start, start + int(span * DAY / 24), np.ones(n), zero, zero, task, classes)
    return SampleSet(samples, np.full(n, np.nan) if r is None else np.asarray(r, float))


class SampleSet(SimpleNamespace):
    def __init__(self, samples: Samples, r: np.ndarray) -> None:
        super().__init__(samples=samples, r=r)


def fold(number: int, train: Any, test: Any) -> Any:
    parts = dict(train=np.asarray(train), test=np.asarray(test), validation=np.zeros(0, np.int64), calibration=np.zeros(0, np.int64))
    return SimpleNamespace(number=number, parts=parts)


def result(number: int, of: Any, rows: Any, outputs: dict[str, np.ndarray], path: int = 0, **given: Any) -> FoldResult:
    """``outputs``: columns aligned with ``rows`` of the samples of ``of``."""
    rows = np.asarray(rows)
    samples = of.samples
    frame = pd.DataFrame(dict(fold=number, path=path, sample=rows, start=samples.start[rows], end=samples.end[rows], y=samples.y[rows], **outputs))
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    if np.isfinite(of.r).any():
        frame["r"] = of.r[rows]
    return FoldResult(fold=number, predictions=frame, pipeline=None, **given)
