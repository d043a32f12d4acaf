"""How much of a session's daily loss and drawdown limits its equity has used, and the notices of each level that it newly reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.limit_tables import day_ends
from domain.live import notices
from domain.live.notices import Notice
from domain.market.zones import DAY
from domain.risk.limits import Limits

NEVER = -(2**62)


@dataclass
class LossWatch:
    """Fed with each row of the equity curve. ``until``: when the day of the last row ends, nanoseconds UTC; ``begin``: equity when it began;
    ``last``: of the last row; ``peak``: the highest so far; ``used``: most of the day's loss limit used so far; ``left``: least share of the way to the drawdown's floor.

    >>> watch = LossWatch(1_000.0)
    >>> [notice.severity for low in (990.0, 940.0, 940.0) for notice in watch.row("gold", Limits(daily_loss=0.1), 0, 1_000.0, low)]
    ['warning']
    """

    last: float
    begin: float = 0.0
    peak: float = 0.0
    until: int = NEVER
    used: float = 0.0
    left: float = 1.0

    def row(self, session: str, limits: Limits, ts: int, equity: float, equity_low: float) -> list[Notice]:
        """Notices of one row: ``ts`` in nanoseconds UTC. Both limits look at the worst equity inside the bar."""
        if not limits.daily_loss and not limits.max_drawdown:
            return []
        self._enter(limits, ts)
        told = [*self._daily(session, limits.daily_loss, equity_low), *self._floor(session, limits.max_drawdown, equity_low)]
        self.last, self.peak = equity, max(self.peak, equity)
        return told

    def _enter(self, limits: Limits, ts: int) -> None:
        self.peak = max(self.peak, self.last)
        if ts > self.until:
            ends = day_ends(limits.day_reset, ts // DAY + np.arange(-1, 3))
            self.until, self.begin, self.used, self.left = int(ends[ends >= ts][0]), self.last, 0.0, 1.0

    def _daily(self, session: str, share: float, low: float) -> list[Notice]:
        if not share or not self.begin > 0:
            return []
        before, now = self.used, (self.begin - low) / (self.begin * share)
        if now <= before:
            return []
        self.used = now
        return notices.daily_loss(session, self.date, before, now)

    def _floor(self, session: str, share: float, low: float) -> list[Notice]:
        if not share or not self.peak > 0:
            return []
        before, now = self.left, 1.0 - (self.peak - low) / (self.peak * share)
        if now >= before:
            return []
        self.left = now
        return notices.floor(session, "drawdown limit", self.date, before, now)

    @property
    def date(self) -> str:
        """The date on which the day ends, UTC."""
        return f"{pd.Timestamp(self.until, unit='ns'):%Y-%m-%d}"

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any], balance: float) -> LossWatch:
        """As it was stored; before the first row from the start balance."""
        return cls(**stored) if stored else cls(balance)

