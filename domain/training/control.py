"""The control: a question asked again with its labels permuted, of which nothing must be learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from domain.training.asked import FoldLike, ResultLike, SetLike

Fold = TypeVar("Fold", bound=FoldLike)
Set = TypeVar("Set", bound=SetLike)
FOLDS = 3               # that are fitted again
BOUND = 4.0             # standard errors


def control_folds(folds: Sequence[Fold], count: int = FOLDS) -> tuple[Fold, ...]:
    """Up to ``count`` of the folds, spread over all of them, no two of which test the same sample."""
    raise NotImplementedError


def permuted(sample_set: Set, seed: int) -> Set:
    """The same samples, labels (``y`` and ``r`` together) permuted over all of them: every sample gets the label of another one."""
    raise NotImplementedError


def control(results: Sequence[ResultLike], task: str, classes: Sequence[str] = ()) -> dict[str, Any]:
    """What was learnt of permuted labels: ``state`` (green, red, open), ``sentence``, ``folds, rows``, ``auc, auc_error, rank_ic, ic_error, bound``.

    ``results``: of ``fit_fold(permuted(sample_set, seed), fold, …)`` for each of ``control_folds(folds)``.
    """
    raise NotImplementedError


def frame_of(results: Sequence[ResultLike]) -> pd.DataFrame:
    return pd.concat([result.predictions for result in results], ignore_index=True)


_ = np
