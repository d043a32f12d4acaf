"""What a fold of training leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from domain.training.pipeline import FittedPipeline


@dataclass(frozen=True)
class FoldResult:
    """``predictions``: a row a tested sample: ``fold path sample start end y``, the outputs, the same ``raw_…`` as they were before calibration, and on signals
    ``r``, ``taken`` and ``size``. ``baselines``: by name, float64 rows × its outputs, row by row those of ``predictions``, and the names of those outputs. ``curve``: (share of the fit,
    loss on validation). ``crossed``: share of rows whose quantiles were not in order, None without quantiles. ``sizes``: samples of each part. ``calibration``: by output
    that is a probability: isotonic, sigmoid or none."""

    fold: int
    predictions: pd.DataFrame
    pipeline: FittedPipeline
    baselines: Mapping[str, tuple[np.ndarray, tuple[str, ...]]] = field(default_factory=dict)
    curve: tuple[tuple[float, float], ...] = ()
    crossed: float | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    calibration: Mapping[str, str] = field(default_factory=dict)
