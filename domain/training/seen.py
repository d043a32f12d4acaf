"""Samples with the columns that a model knows, in its order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from domain.errors import BadRequest, listed
from domain.models.base import Samples
from domain.training.samples import SampleSet


def as_seen(sample_set: SampleSet, columns: tuple[str, ...]) -> Samples:
    """Columns that hold nothing here were dropped from the samples, and are NaN to the model; others that it did not learn are left out.
    Raises BadRequest for a column that the samples do not have at all."""
    samples = sample_set.samples
    if samples.columns == columns:
        return samples
    lacking = [name for name in columns if name not in samples.columns and name not in sample_set.dropped]
    if lacking:
        raise BadRequest(f"the model reads the column{'s' if len(lacking) > 1 else ''} {listed(lacking)}, which these samples do not have")
    empty = np.full(len(samples.matrix), np.nan, np.float32)
    matrix = np.column_stack([samples.matrix[:, samples.columns.index(name)] if name in samples.columns else empty for name in columns])
    return replace(samples, matrix=np.ascontiguousarray(matrix, np.float32), columns=columns)
