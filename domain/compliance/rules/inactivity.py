"""How long an account may lie idle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.compliance.needs import trades_needed
from domain.compliance.rule import FAIL, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import BEFORE, Stretch
from domain.market.zones import DAY
from domain.params import param


@dataclass
class Memory:
    last: int | None = None  # the last trade opened or closed, or the first row


@rule("inactivity_days")
@dataclass(frozen=True)
class Inactivity(Rule):
    """Inactivity: no more than some days without a trade opened or closed."""

    unit = "days"
    main = "days"
    required = ("days",)

    days: int = param(
        30, low=1, high=3_660, unit="days", title="Days", help="calendar days of 24 hours without a trade"
    )

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known)

    def clause(self) -> str:
        return f"no more than {self.days} days without a trade"

    def start(self, terms: Terms) -> Memory:
        return Memory()

    def read(self, memory: Memory, stretch: Stretch) -> Reading:
        trades, most = stretch.trades, self.days * DAY
        if memory.last is None:
            memory.last = int(stretch.ts[0]) if stretch.before == BEFORE else stretch.before
        events = np.sort(
            np.concatenate([[memory.last], trades.entry_ts[stretch.opened], trades.exit_ts[stretch.closed]])
        )
        following = np.append(events[1:], stretch.last)
        idle = (following - events > most) & (events + most > stretch.before)
        breaches = [
            Breach(int(at) + most, self.clause(), float(self.days), float(self.days), FAIL) for at in events[idle]
        ]
        memory.last = int(events[-1])
        return Reading(value=(stretch.last - memory.last) / DAY, limit=float(self.days), breaches=breaches)
