"""Learned regimes of one series as its bars end: the columns of ``regime_columns``, the same bits, worked when a decision asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from domain.features import Context
from domain.features.regimes import FitConfig, observations
from domain.features.regimes.refitting import Walker
from domain.live.tape import NUMBERS, TapeBar
from domain.params import build
from domain.training.regime_columns import column_of, refuse_elsewhere

ROOM = 1_024            # bars for which there is room at first; it doubles
TIMES = ("ts", "end")


class LiveRegimes:
    """``plan``: how they were made, as a question's data have it. ``context``: what the observations read beside the bars, as known now."""

    def __init__(self, plan: Mapping[str, Any], context: Callable[[], Context]) -> None:
        self._plan, self._context = plan, context
        config = build(FitConfig, {name: value for name, value in plan.items() if name not in ("observed", "first")})
        self._walker = Walker(config.train, config.step, config.kind, config.number, config.seed, config.restarts, anchored=config.anchored)
        self._first, self._count = pd.Timestamp(plan["first"]).value, 0
        self._times, self._prices = np.empty((ROOM, len(TIMES)), np.int64), np.empty((ROOM, len(NUMBERS)))

    def ended(self, bar: TapeBar) -> None:
        """Raises BadRequest where the walk's first bar is not among those that came."""
        if bar.ts < self._first:
            return
        if not self._count:
            refuse_elsewhere(self._plan, bar.ts, bar.ts == self._first)
        if self._count == len(self._times):
            self._times, self._prices = (np.concatenate([each, np.empty_like(each)]) for each in (self._times, self._prices))
        self._times[self._count], self._prices[self._count] = (bar.ts, bar.end), [getattr(bar, name) for name in NUMBERS]
        self._count += 1

    def last(self, count: int) -> dict[str, np.ndarray]:
        """The columns at the last ``count`` bars, NaN before they are known; none before the first model."""
        seen = observations(self._bars(), self._context(), self._plan["observed"])
        self._walker.fit(seen)
        if not self._walker.refits:
            return {}
        known = self._walker.probabilities(seen, max(len(seen) - count, 0))
        before = np.full((count - len(known), known.shape[1]), np.nan)
        names = self._walker.refits[0].model.names
        return {column_of(name): np.concatenate([before[:, k], known[:, k]]) for k, name in enumerate(names)}

    def _bars(self) -> pd.DataFrame:
        times, prices = self._times[: self._count], self._prices[: self._count]
        stamps = {name: pd.DatetimeIndex(times[:, k].copy().view("datetime64[ns]"), tz="UTC") for k, name in enumerate(TIMES)}
        return pd.DataFrame({**stamps, **{name: prices[:, k] for k, name in enumerate(NUMBERS)}})
