"""All samples of a question, with what is known of each beside its label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.models.base import Samples

NEVER = int(np.iinfo(np.int64).max)      # the end of a sample whose label is not known


@dataclass(frozen=True)
class SampleSet:
    """Samples in the order of their start. All arrays are aligned with ``samples``.

    ``r``: float64, what the signal alone earned in R, NaN on bars. ``uniqueness``: float64. ``instruments``: the names that ``samples.instrument`` numbers.
    ``unlabelled``: signals or bars that have no label, counted by reason; ``warm_up``: those left out because columns were not yet warm.
    ``signals``: on signals, a frame a row a sample: ``number`` (row in ``study.decided`` of its instrument, or of the trades), ts (the deciding bar's open), instrument,
    side, tag, entry_ts, exit_ts, exit_reason, stop_loss, r, mae_r, mfe_r, bars_held; of what has not opened or not ended, the rest is missing. ``dropped``: names of
    the columns that held no value at all.
    """

    samples: Samples
    r: np.ndarray
    uniqueness: np.ndarray
    instruments: tuple[str, ...]
    unlabelled: Mapping[str, int]
    warm_up: int
    target: str
    signals: pd.DataFrame | None = None
    dropped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def facts(self) -> dict[str, Any]:
        """How many samples there are, and what was left out, in plain values."""
        return dict(count=len(self), warm_up=self.warm_up, unlabelled=dict(self.unlabelled), dropped=list(self.dropped))


def sentence_of(facts: Mapping[str, Any]) -> str:
    """
    >>> sentence_of(dict(count=1_200, warm_up=9, unlabelled={"stop_through": 10}, dropped=["mfi(14)"]))
    '1,200 samples. Left out: 9 in the warm-up of the columns; without a label: stop through 10. Columns without a value, dropped: mfi(14).'
    """
    reasons = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in facts["unlabelled"].items())
    parts = [*([f"{facts['warm_up']:,} in the warm-up of the columns"] if facts["warm_up"] else []), *([f"without a label: {reasons}"] if reasons else [])]
    left_out = f" Left out: {'; '.join(parts)}." if parts else ""
    return f"{facts['count']:,} samples.{left_out}" + (f" Columns without a value, dropped: {', '.join(facts['dropped'])}." if facts["dropped"] else "")
