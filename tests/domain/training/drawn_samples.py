"""Sample sets of tests' own making, and questions about them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from domain.models.base import Samples
from domain.training.question import Fitting, Question
from domain.training.samples import SampleSet

HOUR = 3_600_000_000_000
SCHEME = dict(train=20, validation=3, calibration=8, test=8, step=0, anchored=False, embargo=2.0)


def binary_set(n: int = 1_500, seed: int = 4, pull: float = 1.5) -> SampleSet:
    """A sample an hour, whose first column moves the chance of a win; r is +1 or −1. The third column is unknown now and then."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n, 3)).astype(np.float32)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-pull * matrix[:, 0]))).astype(np.float64)
    matrix[rng.uniform(size=n) < 0.1, 2] = np.nan
    samples = of(matrix, y, "binary")
    signals = pd.DataFrame(dict(number=np.arange(n)))
    return SampleSet(samples, np.where(y > 0, 1.0, -1.0), np.ones(n), ("EURUSD",), {}, 0, "win", signals)


def number_set(n: int = 1_500, seed: int = 4) -> SampleSet:
    """A sample an hour: y is normal, wider where the first column is high, and moved by the second."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n, 3)).astype(np.float32)
    y = 0.5 * matrix[:, 1] + np.exp(0.4 * matrix[:, 0]) * rng.normal(size=n)
    return SampleSet(of(matrix, y, "number"), np.full(n, np.nan), np.ones(n), ("EURUSD",), {}, 0, "return")


def of(matrix: np.ndarray, y: np.ndarray, task: str) -> Samples:
    at = np.arange(len(matrix))
    start = at * HOUR
    return Samples(matrix, ("a", "b", "c"), at, y, start, start + 2 * HOUR, np.ones(len(y)), np.zeros(len(y), np.int64), np.zeros(len(y), np.int64), task)  # type: ignore[arg-type]


def question_of(target: str = "win", learner: str = "linear", params: dict | None = None, fitting: Fitting = Fitting(), **more) -> Question:
    data = (dict(instrument="EURUSD", timeframe="H1", side="bid", version="v", bars=1_500),)
    question = Question(data, ("1970-01-01", "1970-03-04"), target, {}, learner, params or {}, ("a", "b", "c"), scheme_params=SCHEME, strategy="breakout" if target == "win" else "", fitting=fitting)
    return replace(question, **more)
