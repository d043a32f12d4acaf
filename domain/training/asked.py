"""What the judgement reads of a question, its samples, its folds and their results; what these are is said where they are made."""

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
    @property
    def instruments(self) -> tuple[str, ...]: ...
    @property
    def target(self) -> str: ...


class FoldLike(Protocol):
    """``parts``: rows of samples by part; ``path``: aligned with ``parts["test"]``."""

    @property
    def number(self) -> int: ...
    @property
    def parts(self) -> Mapping[Any, np.ndarray]: ...


class ResultLike(Protocol):
    """What a fold gave.

    ``predictions``: ``fold path sample start end y`` and the outputs (``p``, ``p_CLASS`` …, ``value`` or ``q_0.1`` …; ``raw_…`` before calibration);
    where there is a filter also ``taken`` (bool). ``baselines``: by name, frames with the outputs of each baseline, row by row those of
    ``predictions``. ``crossed``: share of rows whose quantiles were not in order, None without quantiles.
    """

    @property
    def predictions(self) -> pd.DataFrame: ...
    @property
    def baselines(self) -> Mapping[str, pd.DataFrame]: ...
    @property
    def crossed(self) -> float | None: ...


class QuestionLike(Protocol):
    """``scheme``: ``walk_forward`` or ``cpcv``; ``strategy``: its name, empty without one."""

    @property
    def scheme(self) -> str: ...
    @property
    def strategy(self) -> str: ...
    @property
    def learner(self) -> str: ...


@dataclass(frozen=True)
class Tried:
    """How much was tried before this answer. ``count``: distinct trials of the family on any dataset in common, this one with them. ``variance``: of their
    daily Sharpe ratios, None where too few are known. ``counted``: False for files, whose trials no ledger counts."""

    count: int = 1
    variance: float | None = None
    counted: bool = False
