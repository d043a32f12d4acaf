"""Number of trials and variance of their Sharpe ratios, from the trial ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.store.unit import Unit

FEWEST = 10     # known Sharpe ratios, under which their spread says nothing and that of pure chance is taken


@dataclass(frozen=True)
class Selection:
    """``trials``: distinct ones with this strategy that touched any of these datasets. ``variance``: of their daily Sharpe ratios; None: too few are known."""

    trials: int
    variance: float | None


def selection_of(unit: Unit, datasets: Sequence[str], strategy: str) -> Selection:
    sharpes = unit.trials.sharpes(datasets, strategy)
    return Selection(max(unit.trials.count(datasets, strategy), 1), float(np.var(sharpes, ddof=1)) if len(sharpes) >= FEWEST else None)
