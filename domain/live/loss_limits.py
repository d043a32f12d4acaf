"""How much of its daily loss and drawdown limits an equity uses, look by look, by the kernel's definitions (docs/execution.md, section 9).

The equity may be that of each row of the curve, or a broker's between two rows. No clock: times are handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.backtest.limit_tables import day_ends
from domain.market.zones import DAY
from domain.risk.limits import Limits

TITLES = {"daily_loss": "daily loss", "max_drawdown": "drawdown"}       # limit -> how it is called in a sentence


@dataclass(frozen=True)
class Use:
    """Of one limit: the ``share`` of it that is used, whether it is ``reached``, from which value it is counted, and the floor."""

    limit: str
    share: float
    reached: bool
    base: float
    floor: float

    @property
    def title(self) -> str:
        return TITLES[self.limit]


class LossLimits:
    """``start``: equity before the first look; None: that of the first look. ``kept`` is what it stood at: end of the day, equity at its start, peak, last equity.

    A day begins with the last equity of the day before, the peak is the highest equity so far; a limit is reached where the lowest equity is at or below the floor.

    >>> watch = LossLimits(Limits(daily_loss=0.05, day_reset="00:00 UTC"), 1000.0)
    >>> [(use.limit, round(use.share, 2), use.reached) for low in (975.0, 950.0) for use in watch.look(1, 990.0, low)]
    [('daily_loss', 0.5, False), ('daily_loss', 1.0, True)]
    >>> [(use.base, round(use.share, 2)) for use in watch.look(DAY + 1, 980.0)]
    [(990.0, 0.2)]
    """

    def __init__(self, limits: Limits, start: float | None, kept: Sequence[float | None] = ()) -> None:
        self.limits = limits
        begin, peak, last = kept[1:4] if kept else (start,) * 3
        self.until = int(kept[0] or 0) if kept else 0
        self._begin: float | None = begin
        self._peak: float | None = peak
        self._last: float | None = last

    @property
    def kept(self) -> list[float | None]:
        return [self.until, self._begin, self._peak, self._last]

    def look(self, ts: int, equity: float, low: float | None = None) -> tuple[Use, ...]:
        """What is used at ``ts`` (ns UTC) with this equity, ``low`` the lowest since the last look; of the limits that are set."""
        lowest = equity if low is None else low
        begin, peak, last = (equity if value is None else value for value in (self._begin, self._peak, self._last))
        if ts > self.until:
            self.until, begin = _day_end(self.limits.day_reset, ts), last
        self._begin, self._peak, self._last = begin, max(peak, equity), equity
        if not (self.limits.daily_loss or self.limits.max_drawdown):
            return ()
        counted = (("daily_loss", self.limits.daily_loss, begin), ("max_drawdown", self.limits.max_drawdown, peak))
        return tuple(_use(name, share, base, lowest) for name, share, base in counted if share)


def _use(limit: str, share: float, base: float, lowest: float) -> Use:
    floor = base * (1.0 - share)
    return Use(limit, (base - lowest) / (share * base) if base > 0 else float(lowest <= floor), lowest <= floor, base, floor)


def _day_end(reset: str, ts: int) -> int:
    """When the day of ``ts`` ends; a day's end is its last moment."""
    return min(int(end) for end in day_ends(reset, np.arange(ts // DAY - 1, ts // DAY + 3)) if end >= ts)
