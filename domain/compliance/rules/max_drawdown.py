"""The most that an account may lose in all: from its start, or from its highest balance or equity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from domain.compliance.amount import Amount, Lock, of_initial
from domain.compliance.comparator import LOSS, below, words
from domain.compliance.needs import lows_needed
from domain.compliance.rule import FAIL, FLOOR, WATCHED, Breach, Known, Reading, Rule, Terms, first_of_days, rule, trades_behind
from domain.compliance.stretch import Stretch
from domain.params import param

STATIC, END_OF_DAY, BALANCE, EQUITY = (
    "static",
    "trailing end-of-day balance",
    "trailing intraday balance",
    "trailing intraday equity peak",
)
ALIASES = MappingProxyType(
    {
        "trailing_end_of_day_balance": END_OF_DAY,
        "trailing end of day balance": END_OF_DAY,
        "trailing_eod_balance": END_OF_DAY,
        "trailing eod balance": END_OF_DAY,
        "trailing end of day": END_OF_DAY,
        "trailing_intraday_balance": BALANCE,
        "trailing intraday equity": EQUITY,
        "trailing_intraday_equity_peak": EQUITY,
    }
)
FROM = {
    STATIC: "the initial balance",
    END_OF_DAY: "the highest end-of-day balance",
    BALANCE: "the highest balance",
    EQUITY: "the highest equity",
}


@dataclass
class Memory:
    terms: Terms
    peak: float
    seen: int = -1
    under: bool = False  # whether the last row was


@rule("max_drawdown", key="drawdown")
@dataclass(frozen=True)
class MaxDrawdown(Rule):
    """Maximum drawdown: equity may not fall below the initial balance, or the highest balance or equity, less an amount."""

    line = FLOOR
    main = "amount"
    required = ("kind", "amount", "lock", "comparator")
    names = MappingProxyType({"trail": "kind"})

    trail: str = param(
        STATIC,
        choices=(STATIC, END_OF_DAY, BALANCE, EQUITY),
        aliases=ALIASES,
        title="Kind",
        help="what the floor trails: nothing, the balance at each reset, or the highest balance or "
        "equity at any instant",
    )
    amount: Amount = param(Amount("10 %"), title="Maximum loss", help="% of initial or money")
    lock: Lock = param(
        Lock("none"), title="Locks at", help="where a trailing floor stops rising: none, start, or start + money"
    )
    watch: str = param(
        "equity",
        choices=("equity", "closed"),
        aliases=WATCHED,
        title="Watches",
        help="equity with floating profit; or closed trades only",
    )
    comparator: str = param(
        "<", choices=LOSS, help="whether reaching the floor breaks it (<=) or only falling below it (<)"
    )
    buffer: float = param(
        0.0,
        low=0.0,
        unit="money",
        title="Own buffer",
        help="how far above the firm's floor the gate already refuses an order",
    )

    def __post_init__(self) -> None:
        of_initial(self.amount, "drawdown.amount")

    @classmethod
    def requires(cls, given: Mapping[str, Any]) -> tuple[str, ...]:
        return cls.required if given.get("kind") != STATIC else ("kind", "amount", "comparator")

    def needs(self, known: Known) -> tuple[str, ...]:
        return lows_needed(known) if self.watch == "equity" or self.trail == EQUITY else ()

    def clause(self) -> str:
        locked = "" if self.trail == STATIC or str(self.lock) == "none" else f", locked at {self.lock}"
        return f"maximum drawdown: {'equity' if self.watch == 'equity' else 'closed balance'} {words(self.comparator)} {FROM[self.trail]} less {self.amount}{locked}"

    def start(self, terms: Terms) -> Memory:
        return Memory(terms, terms.initial)

    def floor_of(self, peak: np.ndarray | float, initial: float) -> np.ndarray:
        """The floor under a peak, where the lock holds it.

        >>> MaxDrawdown(END_OF_DAY, Amount(2_000), Lock("start")).floor_of(np.array([50_500.0, 52_500.0]), 50_000.0).tolist()
        [48500.0, 50000.0]
        """
        return np.minimum(
            np.asarray(peak, float) - self.amount.money(initial),
            self.lock.level(initial) if self.trail != STATIC else np.inf,
        )

    def read(self, memory: Memory, stretch: Stretch) -> Reading:
        initial = memory.terms.initial
        before, after = self._peaks(memory, stretch)
        line = self.floor_of(after, initial)
        value = stretch.balance if self.watch == "closed" else stretch.equity
        broken, lowest, floor = self._judged(stretch, value, line, before)
        rows = first_of_days(stretch, broken & ~np.concatenate([[memory.under], broken[:-1]]), memory.seen)
        memory.under, clause = bool(broken[-1]), self.clause()
        breaches = [
            Breach(
                int(stretch.ts[row]),
                clause,
                float(lowest[row]),
                float(floor[row]),
                FAIL,
                trades_behind(stretch, int(row)),
            )
            for row in rows
        ]
        if len(rows):
            memory.seen = int(stretch.days.number[stretch.day_of_rows(rows[-1:])[0]])
        return Reading(line, float(value[-1]), float(self.amount.money(initial)), breaches)

    def _judged(
        self, stretch: Stretch, value: np.ndarray, line: np.ndarray, before: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which rows are broken, by which value, against which floor: ``equity_low`` first, then ``equity``."""
        if stretch.low is None or self.watch == "closed":
            return below(value, line, self.comparator), value, line
        if before is None:  # the floor does not move inside a row, or a given high has moved it before the low
            return below(stretch.low, line, self.comparator), stretch.low, line
        low_broken = below(stretch.low, before, self.comparator)
        return (
            low_broken | below(value, line, self.comparator),
            np.where(low_broken, stretch.low, value),
            np.where(low_broken, before, line),
        )

    def _peaks(self, memory: Memory, stretch: Stretch) -> tuple[np.ndarray | None, np.ndarray]:
        """The floor before each row, where its low is judged against that one; and the peak after each row."""
        if self.trail == STATIC:
            return None, np.full(len(stretch.ts), memory.terms.initial)
        if self.trail == END_OF_DAY:
            peaks = np.maximum.accumulate(np.maximum(stretch.days.ended, memory.peak))
            memory.peak = float(peaks[-1])
            return None, stretch.by_day(peaks)
        given = stretch.high is not None        # then the low is the later of the two, which is the worse order
        moved = (
            stretch.balance
            if self.trail == BALANCE
            else np.maximum(stretch.high, stretch.equity)
            if stretch.high is not None
            else stretch.equity
        )
        peaks = np.maximum(np.maximum.accumulate(moved), memory.peak)
        first, memory.peak = memory.peak, float(peaks[-1])
        return None if given else self.floor_of(np.concatenate([[first], peaks[:-1]]), memory.terms.initial), peaks
