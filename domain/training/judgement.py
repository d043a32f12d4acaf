"""The report of a training: what its predictions are worth, what the control says, how much was tried, and one honest sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from domain.training.asked import FoldLike, QuestionLike, ResultLike, SetLike, Tried


def report_of(
    question: QuestionLike, sample_set: SetLike, folds: Sequence[FoldLike], results: Sequence[ResultLike], control: Mapping[str, Any], trials: Tried,
    *, regimes: pd.Series | None = None, leak: str = "", seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """``verdict trials control scores baselines crossed``, plain JSON: no NaN, and a reason beside each value that does not exist.

    ``folds`` and ``results`` belong together, those that were not fitted are left out of both. ``control``: what ``control.control`` gave. ``regimes``: name of
    the regime known at each sample (filtered, by row of the samples), None without. ``leak``: what the gate found, empty where it is green.
    ``verdict``: ``state`` (red: nothing here can be believed; amber; green; open: nothing could be judged), ``sentence``, ``reasons``.
    ``trials``: ``family count counted variance dsr significance reason``.
    ``scores``: ``task, main, all``, then lists of rows by ``fold, year, regime, months`` (since training), ``path``; ``calibration, coverage, equity, raw``.
    ``baselines``: rows ``name, loss, model, baseline, gain, low, high, days, block, state`` (better, worse, undecided; gain above 0: the model loses less).
    ``crossed``: share of rows whose quantiles were not in order before they were sorted.
    """
    raise NotImplementedError
