"""The most that an account may gain in a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.compliance.amount import Amount
from domain.compliance.needs import lows_needed
from domain.compliance.rule import (
    CEILING,
    DAY_LOCK,
    FAIL,
    WATCHED,
    Breach,
    Known,
    Reading,
    Rule,
    Terms,
    first_of_days,
    rule,
    trades_behind,
)
from domain.compliance.stretch import Stretch
from domain.params import param


@dataclass
class Memory:
    terms: Terms
    seen: int = -1


@rule("daily_profit_cap", key="profit_cap")
@dataclass(frozen=True)
class DailyProfitCap(Rule):
    """Daily profit cap: once the day's gain reaches an amount, the day is over."""

    line = CEILING
    main = "amount"
    required = ("amount",)

    amount: Amount = param(
        Amount("2 %"), title="Most a day", help="% of initial, % of basis (the balance at the reset), or money"
    )
    watch: str = param(
        "equity",
        choices=("equity", "closed"),
        aliases=WATCHED,
        title="Watches",
        help="equity with floating profit; or closed trades only",
    )
    effect: str = param(
        DAY_LOCK, choices=(DAY_LOCK, FAIL), help="what reaching it does: the day is locked, or the account fails"
    )

    def needs(self, known: Known) -> tuple[str, ...]:
        return lows_needed(known) if self.watch == "equity" else ()

    def clause(self) -> str:
        return f"daily profit cap: {'equity' if self.watch == 'equity' else 'closed balance'} at or above the balance at the reset plus {self.amount}"

    def start(self, terms: Terms) -> Memory:
        return Memory(terms)

    def read(self, memory: Memory, stretch: Stretch) -> Reading:
        amounts = np.broadcast_to(
            self.amount.money(memory.terms.initial, stretch.days.balance), stretch.days.balance.shape
        )
        line = stretch.by_day(stretch.days.balance + amounts)
        value = stretch.balance if self.watch == "closed" else stretch.equity
        highest = stretch.high if stretch.high is not None and self.watch == "equity" else value
        rows = first_of_days(stretch, highest >= line * (1 - 1e-9), memory.seen)
        breaches = [
            Breach(
                int(stretch.ts[row]),
                self.clause(),
                float(highest[row]),
                float(line[row]),
                self.effect,
                trades_behind(stretch, int(row)),
            )
            for row in rows
        ]
        if len(rows):
            memory.seen = int(stretch.days.number[stretch.day_of_rows(rows[-1:])[0]])
        return Reading(line, float(value[-1]), float(amounts[-1]), breaches)
