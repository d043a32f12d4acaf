"""From a question to predictions that were never trained on, a report, and the model of the fold that would come next.

Signatures first (others build on them); the functions follow.

    train(question, inputs, watch, folds=None) -> Trained       inputs: tuple[Inputs, ...], one an instrument
    samples_of(question, inputs) -> SampleSet
    folds_of(question, sample_set) -> tuple[Fold, ...]
    gate(question, inputs, watch) -> LookAheadVerdict            (domain/training/gate.py) raises nothing; train refuses a leak
    finish(question, sample_set, folds, results, control=None, trials=None, watch=…) -> Trained
    domain/training/pipeline.py: fit_fold(sample_set, fold, question, watch) -> FoldResult;  load_pipeline(files) -> FittedPipeline
    FittedPipeline: .outputs .columns .bars  .predict(samples: Samples, engine="native") -> DataFrame(start, outputs, raw_…, taken, size)  .files() -> dict[str, bytes]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Trained:
    """``samples``, ``folds``, ``predictions``: the tables that are written as Parquet. ``report``: of report.json. ``model``: file -> bytes of ``model/``, its
    ``manifest.json`` with the SHA-256 of each other file."""

    samples: pd.DataFrame
    folds: pd.DataFrame
    predictions: pd.DataFrame
    report: Mapping[str, Any]
    model: Mapping[str, bytes]
