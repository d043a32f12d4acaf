"""Whether the ONNX form of a model gives what the model itself gives, on rows that are stored with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

ROWS = 10_000       # newest rows, which no learner was fitted to: the end of the data validates and calibrates
TITLES = {"p": "probabilities", "number": "numbers"}


def held_out(matrix: np.ndarray, columns: tuple[str, ...], bars: int) -> pd.DataFrame:
    """The newest rows of a matrix, and those before them that windows of ``bars`` rows reach back to; a column each."""
    return pd.DataFrame(matrix[-(ROWS + bars - 1) :], columns=list(columns))


def parity_of(files: Mapping[str, bytes], rows: pd.DataFrame, y: np.ndarray) -> dict[str, Any]:
    """``onnx``: whether there is such a form; ``passed``: True also without one, for then nothing can differ; ``worst``: largest difference; ``rows``, ``sentence``."""
    from domain.models.parity import allowed, parity
    from domain.training.fitted_pipeline import EXPORTED, load_pipeline

    pipeline = load_pipeline(files)
    if EXPORTED not in files:
        return dict(onnx=False, passed=True, worst=None, bound=None, rows=0, sentence=f"There is no ONNX form: operators of the learner {pipeline.learner} do not exist there.")
    windows = _windows(rows[list(pipeline.columns)].to_numpy(np.float32), pipeline.bars)
    labels = y[np.isfinite(y)]
    worst, passed = parity(pipeline.fitted, windows, labels, files[EXPORTED])
    bound = float(allowed(pipeline.fitted, labels))
    sentence = f"ONNX and the model itself differ by at most {worst:.1e} on {len(windows):,} rows and on rows with NaN and beside each split"
    return dict(onnx=True, passed=bool(passed), worst=float(worst), bound=bound, rows=len(windows), sentence=f"{sentence}; {bound:.1e} is allowed.")


def _windows(rows: np.ndarray, bars: int) -> np.ndarray:
    """float32, rows × columns; for sequences rows × bars × columns, oldest first."""
    if bars == 1:
        return rows
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(rows, bars, axis=0).transpose(0, 2, 1))
