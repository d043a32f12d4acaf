"""What the judgement reads of samples, folds and their results; what these are stands where they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from domain.models.base import Samples


class SetLike(Protocol):
    """Samples with ``r``: float64, R of each sample's trade net of costs, NaN where a sample is no trade."""

    @property
    def samples(self) -> Samples: ...
    @property
    def r(self) -> np.ndarray: ...


class FoldLike(Protocol):
    """``parts``: rows of samples by part."""

    @property
    def number(self) -> int: ...
    @property
    def parts(self) -> Mapping[Any, np.ndarray]: ...


class ResultLike(Protocol):
    """What a fold gave: ``domain.training.fold_result``."""

    @property
    def fold(self) -> int: ...
    @property
    def predictions(self) -> pd.DataFrame: ...
    @property
    def baselines(self) -> Mapping[str, tuple[np.ndarray, tuple[str, ...]]]: ...
    @property
    def crossed(self) -> float | None: ...


@dataclass(frozen=True)
class Tried:
    """How much was tried before this answer. ``count``: distinct trials of the family on any dataset in common, this one with them. ``variance``: of their
    daily Sharpe ratios, None where too few are known. ``counted``: False for files, whose trials no ledger counts."""

    count: int = 1
    variance: float | None = None
    counted: bool = False
