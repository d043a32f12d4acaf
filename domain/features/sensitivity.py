"""How much history a value needs: recomputed from shorter histories, is it still the same?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.features.base import Use
from domain.features.context import Context
from domain.features.engine import Cache, FeatureTable

HISTORIES = (199, 399, 999, 1_999)      # bars; as freqtrade's recursive analysis counts them


@dataclass(frozen=True)
class Short:
    """The value at the last bar with ``history`` bars alone, and with all of them; NaN where there is none. ``off``: their difference,
    as a share of the value with all bars; NaN where only one of them is a number, infinite where that value is 0 and the other is not."""

    column: str
    history: int
    value: float
    full: float

    @property
    def off(self) -> float:
        """
        >>> Short("ema(20)", 199, 1.1, 1.0).off.__round__(6), Short("day", 199, 0.0, 0.0).off
        (0.1, 0.0)
        """
        if self.value == self.full or (np.isnan(self.value) and np.isnan(self.full)):
            return 0.0
        return abs(self.value - self.full) / abs(self.full) if self.full else float("inf")


def sensitivity(
    bars: pd.DataFrame, uses: Iterable[Use], context: Context = Context(), histories: Sequence[int] = HISTORIES, cache: Cache | None = None, watch: Callable[[float], None] = lambda share: None
) -> list[Short]:  # fmt: skip
    """Each column with the last ``histories`` bars alone, compared with its value with all; a history that is not shorter than ``bars`` is left out.
    Data of other instruments and external series is unchanged.

    >>> from domain.features import use
    >>> bars = pd.DataFrame({"close": [1.0, 1.0, 1.0, 4.0]})
    >>> [(short.history, short.value, short.full) for short in sensitivity(bars, [use("sma", window=3)], histories=(2, 3))]
    [(2, nan, 2.0), (3, 2.0, 2.0)]
    """
    uses, rows = tuple(uses), []
    shorter = [history for history in histories if history < len(bars)]
    full = FeatureTable(bars, context, cache)
    parts = {history: FeatureTable(bars.iloc[-history:].reset_index(drop=True), context) for history in shorter}
    for k, use in enumerate(uses):
        watch(k / len(uses))
        rows += [Short(use.column, history, float(part.column(use)[-1]), float(full.column(use)[-1])) for history, part in parts.items()]
    return rows
