"""The tables that a training leaves, as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.training.fold_result import FoldResult
from domain.training.samples import SampleSet
from domain.training.splits import PARTS, Fold


class Tables(NamedTuple):
    """``samples``: sample instrument start end y r uniqueness. ``folds``: fold sample part. ``predictions``: fold path sample start end y, the outputs and ``raw_…``,
    on signals r taken size. Times in UTC; y of classes is the class's name."""

    samples: pd.DataFrame
    folds: pd.DataFrame
    predictions: pd.DataFrame


def tables_of(sampled: SampleSet, parts: Sequence[Fold], results: Sequence[FoldResult]) -> Tables:
    samples = sampled.samples
    rows = pd.DataFrame(dict(sample=np.arange(len(samples)), instrument=np.array(sampled.instruments, object)[samples.instrument], start=samples.start, end=samples.end, y=samples.y, r=sampled.r, uniqueness=sampled.uniqueness))
    predictions = pd.concat([result.predictions for result in results], ignore_index=True)
    return Tables(_readable(rows, samples.classes), folds_table(parts), _readable(predictions, samples.classes))


def folds_table(parts: Sequence[Fold]) -> pd.DataFrame:
    """Fold, sample, part; ordered by fold and sample."""
    pieces = [pd.DataFrame(dict(fold=fold.number, sample=fold.parts[part], part=part)) for fold in parts for part in PARTS]
    return pd.concat(pieces, ignore_index=True).sort_values(["fold", "sample"], kind="stable", ignore_index=True)


def _readable(frame: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Times as times; classes by name."""
    changed = {name: pd.to_datetime(frame[name], utc=True) for name in ("start", "end")}
    if classes:
        changed["y"] = pd.Series(np.array(classes, object)[frame["y"].to_numpy(np.int64)], frame.index)
    return frame.assign(**changed)
