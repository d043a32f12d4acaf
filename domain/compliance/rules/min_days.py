"""How many days a phase must have been traded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from domain.compliance.amount import Amount, of_initial
from domain.compliance.exposure import so_far
from domain.compliance.needs import FLOATING, trades_needed
from domain.compliance.profits import Gathered
from domain.compliance.rule import Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.params import param

OPENED, PROFITABLE = "opened", "profitable"
CLOSE_DAY, OPEN_DAY, EQUITY, LESS_FLOATING = "close day", "open day", "equity change", "closed minus floating"
COUNTS = MappingProxyType(
    {
        "a position opened that day": OPENED,
        "position opened": OPENED,
        "a profitable day": PROFITABLE,
        "profitable day": PROFITABLE,
    }
)
ATTRIBUTED = MappingProxyType(
    {"close_day": CLOSE_DAY, "open_day": OPEN_DAY, "equity_change": EQUITY, "closed_minus_floating": LESS_FLOATING}
)


@dataclass
class Memory:
    terms: Terms
    days: Gathered
    count: int = 0
    last: int = -1  # the last day on which a position was opened
    by_day: dict[int, float] = field(default_factory=dict)  # profit of the trades opened on a day


@rule("min_days")
@dataclass(frozen=True)
class MinDays(Rule):
    """Minimum trading days: days with a position opened, or profitable days, before a phase can be passed."""

    unit = "days"
    goal = True
    reach = True
    main = "count"
    required = ("count", "counts")

    count: int = param(4, low=0, high=366, unit="days", title="Days", help="how many are needed")
    counts: str = param(
        OPENED,
        choices=(OPENED, PROFITABLE),
        aliases=COUNTS,
        title="Which days count",
        help="days on which a position was opened, or profitable days",
    )
    profit: Amount = param(
        Amount("0.5 %"), title="Least profit of a day", help="% of initial or money; for profitable days"
    )
    attributed: str = param(
        CLOSE_DAY,
        choices=(CLOSE_DAY, OPEN_DAY, EQUITY, LESS_FLOATING),
        aliases=ATTRIBUTED,
        title="Profit belongs to",
        help="the day a trade is closed, or opened; the change of the equity; or what was closed less "
        "the floating loss at the end of the day",
    )

    def __post_init__(self) -> None:
        of_initial(self.profit, "min_days.profit")

    @classmethod
    def requires(cls, given: Mapping[str, Any]) -> tuple[str, ...]:
        return (
            (*cls.required, "profit", "attributed")
            if COUNTS.get(str(given.get("counts")), given.get("counts")) == PROFITABLE
            else cls.required
        )

    def needs(self, known: Known) -> tuple[str, ...]:
        if self.counts == OPENED or self.attributed == OPEN_DAY:
            return trades_needed(known)
        return (FLOATING,) if self.attributed in (EQUITY, LESS_FLOATING) and not known.floating else ()

    def clause(self) -> str:
        which = (
            "a position opened" if self.counts == OPENED else f"a profit of at least {self.profit} ({self.attributed})"
        )
        return f"minimum trading days: {self.count} with {which}"

    def start(self, terms: Terms) -> Memory:
        return Memory(terms, Gathered(float(self.profit.money(terms.initial))))

    def read(self, memory: Memory, stretch: Stretch) -> Reading:
        if self.counts == OPENED:
            days = self._opened(memory, stretch)
        elif self.attributed == OPEN_DAY:
            days = self._by_open_day(memory, stretch)
        else:
            days = self._profitable(memory, stretch)
        return Reading(
            value=float(days[-1]),
            limit=float(self.count),
            met=days >= self.count,
            detail=f"{int(days[-1])} of {self.count} days.",
        )

    def _opened(self, memory: Memory, stretch: Stretch) -> np.ndarray:
        entries = stretch.trades.entry_ts[stretch.opened]
        days, first = np.unique(memory.terms.clock.day_of(entries), return_index=True)
        fresh = days > memory.last
        counted = memory.count + so_far(stretch.ts, entries[first[fresh]])
        memory.count, memory.last = memory.count + int(fresh.sum()), int(days[-1]) if len(days) else memory.last
        return counted

    def _profitable(self, memory: Memory, stretch: Stretch) -> np.ndarray:
        """Whole days, and the present one as it stands."""
        days = stretch.days
        if self.attributed == CLOSE_DAY:
            basis, ended, value = days.balance, days.balance, stretch.balance
        elif self.attributed == EQUITY:
            basis, ended, value = days.equity, days.equity, stretch.equity
        else:
            basis, ended, value = (
                days.balance,
                np.minimum(days.balance, days.equity),
                np.minimum(stretch.balance, stretch.equity),
            )
        profits = memory.days.read(stretch, basis, ended, value)
        return stretch.by_day(profits.enough) + (profits.running >= memory.days.least * (1 - 1e-9))

    def _by_open_day(self, memory: Memory, stretch: Stretch) -> np.ndarray:
        closed = stretch.trades.rows(stretch.closed)
        order = np.argsort(closed.exit_ts, kind="stable")
        days, least, gained = (
            memory.terms.clock.day_of(closed.entry_ts[order]).tolist(),
            memory.days.least * (1 - 1e-9),
            list[int](),
        )
        for day, pnl in zip(days, closed.pnl[order].tolist(), strict=True):
            before = memory.by_day.get(day, 0.0)
            memory.by_day[day] = before + pnl
            gained.append(int(before + pnl >= least) - int(before >= least))
        counted = memory.count + so_far(stretch.ts, closed.exit_ts[order], np.array(gained, float))
        memory.count = round(counted[-1])
        return counted
